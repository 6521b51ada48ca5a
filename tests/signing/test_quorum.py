# SPDX-License-Identifier: Apache-2.0
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.errors import InputError
from countermark.signing.quorum import Policy, k_of_n_policy, parse_policy
from countermark.signing.vkey import COSIGNATURE_V1, ED25519
from tests.signing.conftest import vkey

LOG = vkey("example.com/log", ED25519).text
W = {name: vkey(name, COSIGNATURE_V1).text for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
WITNESSES = "".join(f"witness {name} {key}\n" for name, key in W.items())

# The shape of the example in C2SP tlog-policy: two of X and one of Y.
EXAMPLE = f"""\
log {LOG}

{WITNESSES}
group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def parse(text: str) -> Policy:
    return parse_policy(text.encode())


def test_the_example_of_the_specification_means_what_it_says() -> None:
    policy = parse(EXAMPLE)
    assert policy.text == EXAMPLE
    assert [log.key.text for log in policy.logs] == [LOG]
    for count in range(7):
        for chosen in combinations(W, count):
            xs = sum(name.startswith("X") for name in chosen)
            assert policy.met_by(chosen) == (xs >= 2 and len(chosen) > xs)


def test_names_of_groups_and_strangers_witness_nothing() -> None:
    policy = parse(EXAMPLE)
    assert not policy.met_by(["X-and-Y", "X-witnesses", "Y-witnesses", "stranger"])
    assert not policy.met_by(["X1", "X1", "Y1"])


def test_quorum_none_and_quorum_of_one() -> None:
    assert parse("quorum none\n").met_by([])
    single = parse(f"{WITNESSES}quorum X2\n")
    assert single.met_by(["X2"])
    assert not single.met_by(["X1", "X3"])


def test_rule_2_space_tabs_comments_and_urls() -> None:
    text = f"  # a comment — é\n\t witness\tX1   {W['X1']}  https://x.example/ \n\nquorum X1\n"
    policy = parse(text)
    assert policy.witnesses[0].url == "https://x.example/"
    assert policy.met_by(["X1"])


LONG = "9" * 5000


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (1, "quorum none"),
        (1, "quorum none\r\n"),
        (1, "quorum\x0bnone\n"),
        (1, "quorum none\n\x7f\n"),
        (1, "quorum none\n" + "#" * 262_144 + "\n"),
        (2, "quorum none\nsomething else\n"),
        (2, "quorum\n"),
        (2, "quorum none more\n"),
        (2, "quorum\u00a0none\n"),
        (2, "Quorum none\n"),
        (2, f"log {LOG} https://a https://b\nquorum none\n"),
        (2, "log\nquorum none\n"),
        (2, f"witness {W['X1']}\nquorum none\n"),
        (3, f"log {W['X1']}\nquorum none\n"),
        (3, f"witness X1 {LOG}\nquorum none\n"),
        (3, f"log {LOG}x\nquorum none\n"),
        (3, f"log {LOG}\nlog {LOG}\nquorum none\n"),
        (3, f"log {LOG}\nlog {vkey('example.com/log', ED25519, 'b').text}\nquorum none\n"),
        (3, f"witness a {W['X1']}\nwitness b {W['X1']}\nquorum none\n"),
        (4, f"witness none {W['X1']}\nquorum none\n"),
        (4, f"witness a {W['X1']}\nwitness a {W['X2']}\nquorum none\n"),
        (4, f"{WITNESSES}group X1 any X2\nquorum none\n"),
        (5, f"{WITNESSES}group g any\nquorum none\n"),
        (5, f"{WITNESSES}group g 0 X1\nquorum none\n"),
        (5, f"{WITNESSES}group g 2 X1\nquorum none\n"),
        (5, f"{WITNESSES}group g 01 X1\nquorum none\n"),
        (5, f"{WITNESSES}group g -1 X1\nquorum none\n"),
        (5, f"{WITNESSES}group g {LONG} X1\nquorum none\n"),
        (5, f"{WITNESSES}group g any g\nquorum none\n"),
        (5, f"{WITNESSES}group g any h\ngroup h any X1\nquorum none\n"),
        (5, f"{WITNESSES}group g any none\nquorum none\n"),
        (6, f"{WITNESSES}group g 1 X1 X1\nquorum g\n"),
        (6, f"{WITNESSES}group g any X1\ngroup h any X1\nquorum g\n"),
        (7, WITNESSES),
        (7, "quorum none\nquorum none\n"),
        (7, f"quorum X1\n{WITNESSES}"),
        (7, f"{WITNESSES}quorum X9\n"),
    ],
)
def test_rules_1_to_7_malformed_policies(rule: int, text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_policy(text.encode(), where=f"rule {rule}")
    assert caught.value.next_step


def test_rule_1_text_that_is_not_utf_8() -> None:
    with pytest.raises(InputError, match="byte 1"):
        parse_policy(b"#\xff\nquorum none\n")


@given(st.integers(1, 6), st.sets(st.sampled_from(sorted(W))))
def test_k_of_n(threshold: int, chosen: set[str]) -> None:
    keys = [vkey(name, COSIGNATURE_V1) for name in W]
    text = k_of_n_policy([vkey("example.com/log", ED25519)], keys, threshold)
    policy = parse(text)
    assert policy.text == text
    assert policy.met_by(chosen) == (len(chosen) >= threshold)


@pytest.mark.parametrize("threshold", [0, 7])
def test_k_of_n_out_of_range(threshold: int) -> None:
    with pytest.raises(InputError, match="of 6 members"):
        k_of_n_policy([], [vkey(name, COSIGNATURE_V1) for name in W], threshold)


def test_more_than_thirty_two_of_each() -> None:
    names = [f"w{i}" for i in range(100)]
    policy = parse(k_of_n_policy([], [vkey(name, COSIGNATURE_V1) for name in names], 51))
    assert policy.met_by(names[:51])
    assert not policy.met_by(names[:50])
