# SPDX-License-Identifier: Apache-2.0
from countermark.transparency.cosignature import Cosignature
from countermark.transparency.policy import judge_quorum
from tests.transparency.conftest import NOON, Network

T = int(NOON.timestamp())
ORIGIN = "uk.example/log"


def seen(**delays: int) -> list[Cosignature]:
    return [Cosignature(f"{code}.example/witness", T + delay) for code, delay in delays.items()]


def test_rule_1_strangers_do_not_count(network: Network) -> None:
    verdict = judge_quorum(network.roster, ORIGIN, seen(jp=0, zz=0, yy=0))
    assert not verdict.met
    assert verdict.counted == ("jp.example/witness",)


def test_rule_1_each_witness_counts_once(network: Network) -> None:
    assert not judge_quorum(network.roster, ORIGIN, seen(jp=0) * 3).met


def test_rule_2_the_logs_own_witness_does_not_count(network: Network) -> None:
    verdict = judge_quorum(network.roster, ORIGIN, seen(uk=-1000, jp=0))
    assert not verdict.met
    assert verdict.own == "uk.example/witness"
    assert verdict.counted == ("jp.example/witness",)
    assert verdict.witnessed == NOON
    assert judge_quorum(network.roster, "jp.example/log", seen(uk=0, ke=0)).met


def test_rule_3_two_of_the_others_are_a_quorum(network: Network) -> None:
    assert judge_quorum(network.roster, ORIGIN, seen(jp=0, ke=0)).met
    assert not judge_quorum(network.roster, ORIGIN, []).met
    assert judge_quorum(network.roster, ORIGIN, []).witnessed is None


def test_rule_4_the_witnessed_time_is_the_median(network: Network) -> None:
    three = judge_quorum(network.roster, ORIGIN, seen(jp=-99_999, ke=7, kr=99_999))
    assert three.witnessed is not None
    assert three.witnessed.timestamp() == T + 7
    two = judge_quorum(network.roster, ORIGIN, seen(jp=-99_999, ke=7))
    assert two.witnessed is not None
    assert two.witnessed.timestamp() == T + 7
