# SPDX-License-Identifier: Apache-2.0
"""What ends later takes nothing away; what comes after an end is refused. All ten years on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from countermark.records.errors import VerificationError
from countermark.signing.ceremony import (
    create_roster,
    draft_next,
    members_of,
    sign_draft,
)
from countermark.signing.changes import leave, policy_for, renew, replace_policy, revoke, withdraw
from countermark.signing.keys import public_hex, statement_signer
from countermark.signing.party import Party, StatementKey
from countermark.signing.roster import (
    ANY_TIME,
    POLICY_FILE,
    ROSTER_FILE,
    Roster,
    RosterContent,
    load_roster,
    parse_content,
    refuse_rewriting,
)
from countermark.transparency.note import NoteSigner
from countermark.transparency.verify import Verification, verify_statement
from tests.transparency.conftest import (
    EXPIRES,
    NOON,
    Network,
    build_network,
    private,
    run_plan,
)

TURN = NOON + timedelta(days=1)
AT = f"{TURN:%Y-%m-%dT%H:%M:%SZ}"
BEFORE, AFTER = NOON, NOON + timedelta(days=2)
YEARS_ON = NOON + timedelta(days=3653)
SIGNERS = [statement_signer(private(f"member {i}")) for i in range(3)]
Change = Callable[[RosterContent], RosterContent]


def changed(network: Network, change: Change, quorum: int = 2) -> Roster:
    """Make, sign and accept the next roster."""
    content = change(parse_content(network.files[ROSTER_FILE]))
    texts = {POLICY_FILE: network.files[POLICY_FILE]}
    content, texts = replace_policy(content, texts, policy_for(content.parties, quorum), AT)
    files = draft_next(network.files, content, texts, members_of(network.files), EXPIRES)
    for signer in SIGNERS[:2]:
        files = sign_draft(files, signer)
    refuse_rewriting(network.files, files)
    return load_roster(files, NOON)


def verdict(data: bytes, roster: Roster, at: datetime = YEARS_ON) -> Verification:
    return verify_statement(data, roster, at)


def failing(verification: Verification) -> list[int]:
    return [check.rule for check in verification.failures if check.reached]


def with_name(content: RosterContent, code: str, name: str) -> RosterContent:
    parties = (
        p.model_copy(update={"name": name}) if p.code == code else p for p in content.parties
    )
    return content.model_copy(update={"parties": tuple(parties)})


def key_of(network: Network, code: str) -> str:
    party = network.roster.party(code)
    assert party is not None
    return party.statement_keys[0].keyid


def renewed(code: str, *, log: str | None = None, witness: str | None = None) -> Party:
    """The entry of a member with new keys, made of labels."""
    log_signer = NoteSigner(f"{code.lower()}.example/log", private(log or f"{code} log"))
    eye = NoteSigner(f"{code.lower()}.example/witness", private(witness or f"{code} witness"))
    return Party.begin(
        code,
        f"Institute {code}",
        ("publisher", "witness"),
        StatementKey.of(public_hex(private(f"{code} statements")), AT),
        log_signer.log_key,
        eye.witness_key,
        AT,
    )


def test_a_statement_key_revoked(network: Network) -> None:
    roster = changed(network, lambda content: revoke(content, key_of(network, "UK"), AT))
    before = network.publish("UK", run_plan(), at=BEFORE).to_bytes()
    after = network.publish("UK", run_plan(), at=AFTER).to_bytes()
    assert verdict(before, roster).valid
    assert failing(verdict(after, roster)) == [3]
    assert "revoked" in verdict(after, roster).checks[2].detail
    assert verdict(after, network.roster).valid, "who never heard of it cannot know"


def test_the_turn_is_to_the_second(network: Network) -> None:
    roster = changed(network, lambda content: revoke(content, key_of(network, "UK"), AT))
    last = TURN - timedelta(seconds=3)  # the witnesses cosign a second apart
    assert verdict(network.publish("UK", run_plan(), at=last).to_bytes(), roster).valid
    first = network.publish("UK", run_plan(), at=TURN).to_bytes()
    assert failing(verdict(first, roster)) == [3]


def test_a_member_that_left(network: Network) -> None:
    roster = changed(network, lambda content: leave(content, "UK", AT))
    assert roster.party("UK") is not None
    assert verdict(network.publish("UK", run_plan(), at=BEFORE).to_bytes(), roster).valid
    after = network.publish("UK", run_plan(), at=AFTER).to_bytes()
    assert failing(verdict(after, roster)) == [3, 6]


def test_a_witness_that_left_counts_for_what_it_saw(network: Network) -> None:
    """Two of JP, KE, KR were the quorum. Now JP is gone, and it was needed."""
    roster = changed(network, lambda content: leave(content, "JP", AT))
    early = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=BEFORE).to_bytes()
    late = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=AFTER).to_bytes()
    fine = network.publish("UK", run_plan(), witnesses=("KE", "KR"), at=AFTER).to_bytes()
    assert verdict(early, roster).valid
    assert failing(verdict(late, roster)) == [7]
    assert verdict(fine, roster).valid


def test_the_quorum_of_the_time_is_the_one_that_counts(network: Network) -> None:
    roster = changed(network, lambda content: content, quorum=3)
    two = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=BEFORE).to_bytes()
    late = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=AFTER).to_bytes()
    three = network.publish("UK", run_plan(), witnesses=("JP", "KE", "KR"), at=AFTER).to_bytes()
    assert verdict(two, roster).valid
    assert failing(verdict(late, roster)) == [7]
    assert verdict(three, roster).valid


def test_a_log_key_rotated(network: Network) -> None:
    roster = changed(network, lambda content: renew(content, renewed("UK", log="UK new log"), AT))
    for at, fine in ((BEFORE, True), (AFTER, False)):
        data = network.publish("UK", run_plan(), at=at).to_bytes()
        assert failing(verdict(data, roster)) == ([] if fine else [6])
    network.logs["UK"].signer = NoteSigner("uk.example/log", private("UK new log"))
    for at, fine in ((AFTER, True), (BEFORE, False)):
        data = network.publish("UK", run_plan(), at=at).to_bytes()
        assert failing(verdict(data, roster)) == ([] if fine else [6])


def test_a_witness_key_rotated(network: Network) -> None:
    roster = changed(network, lambda content: renew(content, renewed("JP", witness="JP new"), AT))
    old = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=BEFORE).to_bytes()
    stale = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=AFTER).to_bytes()
    network.witnesses["JP"] = NoteSigner("jp.example/witness", private("JP new"))
    fresh = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=AFTER).to_bytes()
    assert verdict(old, roster).valid
    assert failing(verdict(stale, roster)) == [7]
    assert verdict(fresh, roster).valid


def test_a_stale_witness_key_is_told_and_spoils_nothing_where_others_are_enough(
    network: Network,
) -> None:
    roster = changed(network, lambda content: renew(content, renewed("JP", witness="JP new"), AT))
    stale = network.publish("UK", run_plan(), witnesses=("JP", "KE", "KR"), at=AFTER).to_bytes()
    found = verdict(stale, roster)
    assert found.valid
    assert found.witnesses == ("ke.example/witness", "kr.example/witness")
    assert found.witnessed == f"{AFTER + timedelta(seconds=2):%Y-%m-%dT%H:%M:%SZ}", "KR's time"
    said = found.checks[6].detail
    assert "jp.example/witness cosigned at 2026-03-03T12:00:00Z and does not count" in said
    assert "rotated" in said


def test_a_witness_key_that_is_yet_to_begin_does_not_count(network: Network) -> None:
    roster = changed(network, lambda content: renew(content, renewed("JP", witness="JP new"), AT))
    network.witnesses["JP"] = NoteSigner("jp.example/witness", private("JP new"))
    enough = network.publish("UK", run_plan(), witnesses=("JP", "KE", "KR"), at=BEFORE).to_bytes()
    assert verdict(enough, roster).valid
    missed = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=BEFORE).to_bytes()
    found = verdict(missed, roster)
    assert failing(found) == [7]
    assert "ke.example/witness do not meet the quorum" in found.checks[6].detail
    assert "valid from" in found.checks[6].detail


def test_a_member_under_a_new_name_said_what_it_said_under_the_old_one(network: Network) -> None:
    roster = changed(network, lambda content: with_name(content, "UK", "uk-institute"))
    said = [network.publish("UK", run_plan(), at=at).to_bytes() for at in (BEFORE, AFTER)]
    for data in said:
        assert verdict(data, roster).valid
        assert "signed by uk-institute (UK)" in verdict(data, roster).checks[1].detail


def test_a_name_is_nobodys_code(network: Network) -> None:
    """Whoever takes a name does not become who it names."""
    roster = changed(network, lambda content: with_name(content, "UK", "FR"))
    found = verdict(network.publish("UK", run_plan("FR")).to_bytes(), roster)
    assert failing(found) == [3]
    assert "speaks for FR, and UK signed it" in found.checks[2].detail


def test_a_role_withdrawn(network: Network) -> None:
    roster = changed(network, lambda content: withdraw(content, "UK", "publisher", AT))
    before = network.publish("UK", run_plan(), at=BEFORE).to_bytes()
    after = network.publish("UK", run_plan(), at=AFTER).to_bytes()
    assert verdict(before, roster).valid
    assert failing(verdict(after, roster)) == [3]


def test_cosignatures_of_the_future_are_refused(network: Network) -> None:
    data = network.publish("UK", run_plan(), witnesses=("JP", "KE"), at=NOON).to_bytes()
    assert verdict(data, network.roster, NOON).valid
    assert verdict(data, network.roster, NOON - timedelta(seconds=29)).valid
    early = verdict(data, network.roster, NOON - timedelta(seconds=31))
    assert failing(early) == [7]
    assert "which is later than" in early.checks[6].detail


def test_an_early_clock_of_one_witness_does_not_bring_a_revoked_key_back(network: Network) -> None:
    """The thief and one witness put the clock back; one is no quorum of that time."""
    roster = changed(network, lambda content: revoke(content, key_of(network, "UK"), AT))
    late = network.publish("UK", run_plan(), witnesses=("KE", "KR"), at=AFTER)
    liar = network.cosigned(late.proof.note, ("JP",), BEFORE)
    data = network.publish("UK", run_plan(), witnesses=("KE", "KR"), at=AFTER).to_bytes()
    assert failing(verdict(data, roster)) == [3]
    bent = replace(late, proof=replace(late.proof, note=liar))
    assert failing(verdict(bent.to_bytes(), roster)) == [3]


def test_a_quorum_of_liars_can_back_date_and_one_fewer_cannot(network: Network) -> None:
    """What docs/threat-model.md owns up to: two of two with clocks put back."""
    roster = changed(network, lambda content: revoke(content, key_of(network, "UK"), AT), quorum=3)
    late = network.publish("UK", run_plan(), witnesses=("KR",), at=AFTER)
    for liars, valid in ((("JP",), False), (("JP", "KE"), True)):
        note = network.cosigned(late.proof.note, liars, BEFORE)
        data = replace(late, proof=replace(late.proof, note=note)).to_bytes()
        assert verdict(data, roster).valid is valid


def test_expiry_stops_a_refresh_and_no_verification(network: Network) -> None:
    with pytest.raises(VerificationError, match="expired"):
        load_roster(network.files, EXPIRES)
    roster = load_roster(network.files, ANY_TIME)
    data = network.publish("UK", run_plan()).to_bytes()
    assert verdict(data, roster).valid
    network = build_network()
    files = create_roster(
        network.roster.parties,
        network.roster.policy.text,
        SIGNERS,
        2,
        "2025-01-01T00:00:00Z",
        NOON + timedelta(seconds=1),
    )
    late = verdict(network.publish("UK", run_plan()).to_bytes(), load_roster(files, ANY_TIME))
    assert failing(late) == [3], "witnessed after the roster had expired"
