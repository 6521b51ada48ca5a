# SPDX-License-Identifier: Apache-2.0
"""A bent log of another tool is read, or refused by an error of ours; nothing else happens.

The kept files in ``corpus/log-…/`` are small and written by hand; no tool made them.
"""

from pathlib import Path

import pytest
from fuzzing import LOGS, NASTY, bent, check_log, kept, valid
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

by_log = pytest.mark.parametrize("name", sorted(LOGS))
quiet = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@by_log
def test_the_kept_cases_keep_the_promise(name: str, tmp_path: Path) -> None:
    for path in kept(name):
        read = check_log(name, tmp_path, path.read_bytes())
        assert (read is not None) == path.name.startswith("valid"), path.name


@by_log
def test_each_nasty_piece_at_each_end_of_each_line(name: str, tmp_path: Path) -> None:
    lines = valid(name).split(b"\n")
    for piece in NASTY:
        check_log(name, tmp_path, piece)
        for number, line in list(enumerate(lines))[:: max(1, len(lines) // 8)]:
            for changed in (piece, piece + line, line + piece):
                data = b"\n".join([*lines[:number], changed, *lines[number + 1 :]])
                check_log(name, tmp_path, data)


@by_log
def test_the_valid_log_cut_anywhere(name: str, tmp_path: Path) -> None:
    data = valid(name)
    for end in range(0, len(data), max(1, len(data) // 150)):
        check_log(name, tmp_path, data[:end])


@by_log
@quiet
@given(data=st.data())
def test_bent_logs(name: str, tmp_path: Path, data: st.DataObject) -> None:
    check_log(name, tmp_path, data.draw(bent(valid(name))))


@by_log
@quiet
@given(data=st.data())
def test_logs_of_which_one_line_is_bent(name: str, tmp_path: Path, data: st.DataObject) -> None:
    lines = valid(name).split(b"\n")
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = data.draw(bent(lines[place]))
    check_log(name, tmp_path, b"\n".join(lines))
