# SPDX-License-Identifier: Apache-2.0
"""Every parser of hostile input keeps its promise (see ``tests/support/fuzzing.py``).

A case that broke it once is kept in ``corpus/<parser>/`` and tried first, for ever.
"""

import tracemalloc

import pytest
from fuzzing import CORPUS, LOGS, NASTY, PARSERS, bent, check, kept, valid
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = sorted(PARSERS)
by_parser = pytest.mark.parametrize("name", NAMES)
quiet = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.data_too_large]
)


def test_each_parser_has_a_corpus_and_each_corpus_a_parser() -> None:
    assert {path.name for path in CORPUS.iterdir()} - {"roster"} == {*NAMES, *LOGS}


@by_parser
def test_the_valid_input_is_read(name: str) -> None:
    assert check(name, valid(name))


@by_parser
def test_the_kept_cases_keep_the_promise(name: str) -> None:
    accepted = {path.name for path in kept(name) if check(name, path.read_bytes())}
    assert accepted == {path.name for path in kept(name) if path.name.startswith("valid")}


@by_parser
def test_each_nasty_piece_at_each_end_of_each_line(name: str) -> None:
    lines = valid(name).split(b"\n")
    for piece in NASTY:
        check(name, piece)
        for number, line in enumerate(lines):
            for changed in (piece, piece + line, line + piece):
                check(name, b"\n".join([*lines[:number], changed, *lines[number + 1 :]]))


@by_parser
def test_the_valid_input_cut_anywhere(name: str) -> None:
    data = valid(name)
    for end in range(0, len(data), max(1, len(data) // 400)):
        check(name, data[:end])


@by_parser
@quiet
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=80).map(str.encode)))
def test_any_bytes(name: str, data: bytes) -> None:
    check(name, data)


@by_parser
@quiet
@given(data=st.data())
def test_bent_inputs(name: str, data: st.DataObject) -> None:
    check(name, data.draw(bent(valid(name))))


LONG = 1 << 18
FLOODS = (
    b"\n" * LONG, b"A" * LONG, b"=" * LONG, b" " * LONG, b"[" * LONG, b'{"a":' * (LONG // 5),
    b"9" * LONG, b'"' + b"\\u0000" * (LONG // 6) + b'"', b"[" + b"1," * (LONG // 2) + b"1]",
    "\u2014 a AAAAAAA=\n".encode() * (LONG // 15), b"a+" * (LONG // 2), b"\xff\xff" * (LONG // 2),
    b"\0\0" * (LONG // 2), b"{" + b'"a":1,' * (LONG // 6) + b'"a":1}', b"group a any a\n" * 9000,
    b"\n\n" * (LONG // 2), b"0" * LONG, b'{"' + b"k" * LONG + b'":NaN}',
)  # fmt: skip


@by_parser
def test_floods_are_answered_at_once_and_in_little_memory(name: str) -> None:
    head = valid(name)
    for flood in FLOODS:
        for data in (flood, head + flood, head[: len(head) // 2] + flood):
            check(name, data)
            tracemalloc.start()
            try:
                check(name, data, seconds=60)  # tracing is slow
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert peak < 100 * LONG, f"{name} took {peak:,} bytes for {data[:20]!r}"
