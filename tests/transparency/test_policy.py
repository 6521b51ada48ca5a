# SPDX-License-Identifier: Apache-2.0
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.signing.party import Party, WitnessKey
from countermark.signing.quorum import k_of_n_policy, parse_policy
from countermark.signing.roster import PolicyTerm, Roster
from countermark.transparency.cosignature import Cosignature, cosign
from countermark.transparency.note import NoteSigner
from countermark.transparency.policy import QuorumVerdict, Sighting, judge_quorum, sighting
from tests.transparency.conftest import EXPIRES, NOON, SINCE, Network, private

T = int(NOON.timestamp())
ORIGIN = "uk.example/log"


def judge(
    network: Network, delays: dict[str, int], origin: str = ORIGIN, times: int = 1
) -> QuorumVerdict:
    """Judge verified cosignatures, each so many seconds after noon."""
    sightings = []
    for code, delay in delays.items():
        party = network.roster.party(code)
        assert party is not None
        assert party.witness is not None
        cosignature = Cosignature(party.witness.name, T + delay)
        sightings += [Sighting(party, party.witness, cosignature)] * times
    return judge_quorum(network.roster, origin, sightings)


def test_rule_1_strangers_are_no_witnesses(network: Network) -> None:
    text = "uk.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    stranger = NoteSigner("zz.example/witness", private("zz"))
    pretender = NoteSigner("jp.example/witness", private("zz"))
    for signer in (stranger, pretender):
        assert sighting(cosign(text, signer, NOON), text, network.roster) is None
    line = cosign(text, network.witnesses["JP"], NOON)
    found = sighting(line, text, network.roster)
    assert found is not None
    assert (found.party.code, found.in_time) == ("JP", True)
    assert sighting(line, text + "x", network.roster) is None


def test_rule_1_each_witness_counts_once(network: Network) -> None:
    assert not judge(network, {"JP": 0}, times=3).met


def test_rule_1_a_key_that_was_not_valid_yet_does_not_count(network: Network) -> None:
    before = int((datetime.fromisoformat(SINCE) - NOON).total_seconds()) - 1
    verdict = judge(network, {"JP": before, "KE": before + 1})
    assert (verdict.counted, verdict.met) == (("ke.example/witness",), False)
    assert [one.key.name for one in verdict.passed_over] == ["jp.example/witness"]


def test_rule_2_the_logs_own_witness_does_not_count(network: Network) -> None:
    verdict = judge(network, {"UK": -1000, "JP": 0})
    assert not verdict.met
    assert verdict.own == "uk.example/witness"
    assert verdict.counted == ("jp.example/witness",)
    assert verdict.passed_over == ()
    assert judge(network, {"UK": 0, "KE": 0}, "jp.example/log").met


def test_rule_4_two_of_the_others_are_a_quorum(network: Network) -> None:
    assert judge(network, {"JP": 0, "KE": 0}).met
    assert not judge(network, {}).met
    assert judge(network, {}).witnessed is None


def test_rule_4_a_policy_that_is_never_met_gives_no_time(network: Network) -> None:
    verdict = judge(network, {"JP": 0})
    assert (verdict.met, verdict.witnessed) == (False, None)
    assert verdict.policy is network.roster.policy, "it was asked"


def test_rule_3_the_witnessed_time_is_when_the_policy_was_first_met(network: Network) -> None:
    for delays, expected in (
        ({"JP": -99_999, "KE": 7, "KR": 99_999}, 7),
        ({"KR": 99_999, "KE": 7, "JP": -99_999}, 7),
        ({"JP": -99_999, "KE": 7}, 7),
        ({"JP": 5, "KE": 5}, 5),
        ({"UK": 0, "JP": 1, "KE": 2, "KR": 3}, 2),
    ):
        verdict = judge(network, delays)
        assert verdict.witnessed == NOON + timedelta(seconds=expected)


def moment(seconds: int) -> str:
    return f"{NOON + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


EYES = [NoteSigner(f"w{i}.example/witness", private(f"w{i}")).witness_key for i in range(7)]
LOG = NoteSigner("uk.example/log", private("UK log")).log_key
PARTIES = [
    Party.begin(f"w{i}", f"W{i}", ("witness",), None, None, EYES[i], SINCE) for i in range(7)
]


def under(*terms: tuple[int, int, int]) -> Roster:
    """Return a roster of seven witnesses whose policies begin so many seconds after noon.

    Each is ``(since, n, k)``: any k of the first n.
    """
    ends = [since for since, _, _ in terms[1:]]
    policies = tuple(
        (
            PolicyTerm(
                file="policy.txt",
                valid_from=moment(since),
                valid_until=moment(until) if until is not None else None,
            ),
            parse_policy(k_of_n_policy([LOG], EYES[:n], k).encode()),
        )
        for (since, n, k), until in zip(terms, [*ends, None], strict=True)
    )
    return Roster(tuple(PARTIES), policies, 1, EXPIRES, "")


def seen(delays: dict[int, int]) -> list[Sighting]:
    return [
        Sighting(PARTIES[i], PARTIES[i].witnesses[0], Cosignature(EYES[i].name, T + delay))
        for i, delay in delays.items()
    ]


def time_of(roster: Roster, delays: dict[int, int]) -> int | None:
    found = judge_quorum(roster, ORIGIN, seen(delays)).witnessed
    return None if found is None else int(found.timestamp()) - T


@pytest.mark.parametrize(
    ("delays", "expected"),
    [
        ({0: -2, 1: -1}, -1),  # two of three, while two were enough
        ({0: -2, 1: 1}, None),  # since noon it takes three
        ({0: -2, 1: 1, 2: 2}, 2),  # what was seen before a change counts after it
        ({0: -1, 6: 1, 1: 2}, None),  # the policy never listed the seventh
        ({2: -1, 6: 0, 0: 0, 1: 1}, 1),
        ({0: -2, 1: -1, 2: 1, 3: 50}, -1),  # what came later changes nothing
    ],
)
def test_rule_3_each_time_has_its_policy(delays: dict[int, int], expected: int | None) -> None:
    assert time_of(under((-100, 3, 2), (0, 4, 3)), delays) == expected


def test_rule_3_a_weaker_policy_makes_no_quorum_of_what_was_seen_before() -> None:
    """It takes a cosignature under the new policy, by a witness that it lists."""
    roster = under((-100, 7, 4), (0, 5, 3))
    before = {0: -3, 1: -2, 2: -1}
    assert time_of(roster, before) is None
    assert time_of(roster, {**before, 6: 9}) is None
    assert time_of(roster, {**before, 4: 9}) == 9


def test_rule_1_nothing_counts_before_the_first_policy() -> None:
    verdict = judge_quorum(under((0, 7, 2)), ORIGIN, seen({0: -1, 1: 5}))
    assert (verdict.counted, verdict.met) == (("w1.example/witness",), False)
    assert [one.in_time for one in verdict.passed_over] == [True]


DELAYS = st.dictionaries(st.integers(0, 6), st.integers(-50, 50))


@given(st.integers(1, 7), st.integers(1, 7), DELAYS, DELAYS)
def test_rule_3_further_cosignatures_make_nothing_later(
    before: int, after: int, held: dict[int, int], added: dict[int, int]
) -> None:
    """Across a change of policy too; and in whichever order they are given."""
    roster = under((-100, 7, before), (0, 7, after))
    first = time_of(roster, held)
    both = {**added, **held}
    second = time_of(roster, both)
    assert first is None or (second is not None and second <= first)
    assert time_of(roster, dict(sorted(both.items(), reverse=True))) == second


@given(st.data())
def test_rule_3_fewer_liars_than_a_quorum_make_nothing_older(data: st.DataObject) -> None:
    """Honest witnesses saw the log at noon or later; liars say what they like."""
    k = data.draw(st.integers(1, 7), label="k")
    liars = data.draw(st.integers(0, k - 1), label="liars")
    lies = {i: data.draw(st.integers(-5000, 5000), label=f"lie {i}") for i in range(liars)}
    late = data.draw(st.dictionaries(st.integers(liars, 6), st.integers(0, 50)), label="honest")
    found = time_of(under((-10_000, 7, k)), {**lies, **late})
    assert found is None or found >= 0


@pytest.mark.parametrize("k", range(1, 8))
def test_rule_3_a_quorum_of_liars_can(k: int) -> None:
    """The bound is sharp. By the median of k times, k // 2 + 1 of them could."""
    honest = dict.fromkeys(range(7), 0)
    roster = under((-10_000, 7, k))
    assert time_of(roster, {**honest, **dict.fromkeys(range(k), -5000)}) == -5000
    assert time_of(roster, {**honest, **dict.fromkeys(range(k - 1), -5000)}) == 0


def test_rule_1_key_and_role_must_both_hold_when_it_cosigned(network: Network) -> None:
    """Each ends alone here; the roster ends them together, but rule 1 asks for both."""
    jp = network.roster.party("JP")
    assert jp is not None
    assert jp.witness is not None
    value = jp.witness.model_dump(exclude_none=True)
    value["valid_until"] = f"{NOON:%Y-%m-%dT%H:%M:%SZ}"
    ended = WitnessKey.model_validate(value)
    no_role = jp.model_copy(
        update={"roles": tuple(grant for grant in jp.roles if grant.role != "witness")}
    )
    seen = Cosignature(jp.witness.name, T)
    assert Sighting(jp, jp.witness, seen).in_time
    assert not Sighting(jp, ended, seen).in_time
    assert not Sighting(no_role, jp.witness, seen).in_time
