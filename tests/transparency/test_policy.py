# SPDX-License-Identifier: Apache-2.0
from datetime import datetime

from countermark.signing.party import WitnessKey
from countermark.transparency.cosignature import Cosignature, cosign
from countermark.transparency.note import NoteSigner
from countermark.transparency.policy import QuorumVerdict, Sighting, judge_quorum, sighting
from tests.transparency.conftest import NOON, SINCE, Network, private

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


def test_rule_2_the_logs_own_witness_does_not_count(network: Network) -> None:
    verdict = judge(network, {"UK": -1000, "JP": 0})
    assert not verdict.met
    assert verdict.own == "uk.example/witness"
    assert verdict.counted == ("jp.example/witness",)
    assert verdict.witnessed == NOON
    assert judge(network, {"UK": 0, "KE": 0}, "jp.example/log").met


def test_rule_4_two_of_the_others_are_a_quorum(network: Network) -> None:
    assert judge(network, {"JP": 0, "KE": 0}).met
    assert not judge(network, {}).met
    assert judge(network, {}).witnessed is None


def test_rule_3_the_witnessed_time_is_the_median(network: Network) -> None:
    three = judge(network, {"JP": -99_999, "KE": 7, "KR": 99_999})
    assert three.witnessed is not None
    assert three.witnessed.timestamp() == T + 7
    two = judge(network, {"JP": -99_999, "KE": 7})
    assert two.witnessed is not None
    assert two.witnessed.timestamp() == T + 7


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
