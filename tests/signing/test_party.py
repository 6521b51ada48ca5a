# SPDX-License-Identifier: Apache-2.0
from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from countermark.records.base import Record
from countermark.signing.keys import public_hex
from countermark.signing.party import (
    MAY_SAY,
    Lasting,
    LogKey,
    Party,
    RoleGrant,
    StatementKey,
    WitnessKey,
)
from countermark.signing.vkey import COSIGNATURE_V1, ED25519
from tests.signing.conftest import NOW, SINCE, party, private, vkey

LATER = "2026-02-01T00:00:00Z"
UK = party("UK")
KEY = UK.statement_keys[0]


def changed(**fields: object) -> Party:
    kept = {name: getattr(UK, name) for name in Party.model_fields}
    return Party.model_validate({**kept, **fields})


def granted(*roles: str, since: str = SINCE) -> tuple[RoleGrant, ...]:
    return tuple(RoleGrant.model_validate({"role": role, "valid_from": since}) for role in roles)


def log_key(origin: str, label: str, since: str = SINCE, until: str | None = None) -> LogKey:
    text = vkey(label, ED25519, origin).text
    return LogKey(origin=origin, vkey=text, valid_from=since, valid_until=until)


def witness_key(name: str, label: str, since: str = SINCE, until: str | None = None) -> WitnessKey:
    text = vkey(label, COSIGNATURE_V1, name).text
    return WitnessKey(name=name, vkey=text, valid_from=since, valid_until=until)


def test_rule_1_a_key_id_is_the_hash_of_its_key() -> None:
    with pytest.raises(ValidationError, match="another key id"):
        StatementKey(keyid="0" * 64, public=KEY.public, valid_from=KEY.valid_from)


def test_rule_6_a_key_begins_before_it_ends_and_times_are_real() -> None:
    public = public_hex(private("UK"))
    with pytest.raises(ValidationError, match="ends before it begins"):
        StatementKey.of(public, "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z")
    never = StatementKey.of(public, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    assert not never.valid_at(datetime.fromisoformat("2026-01-01T00:00:00Z"))
    with pytest.raises(ValidationError):
        StatementKey.of(public, "2026-13-01T00:00:00Z")


def test_rule_6_validity_includes_the_first_second_and_not_the_last() -> None:
    key = StatementKey.of(KEY.public, "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z")
    times = {
        "2025-12-31T23:59:59Z": False,
        "2026-01-01T00:00:00Z": True,
        "2026-05-31T23:59:59Z": True,
        "2026-06-01T00:00:00Z": False,
    }
    assert {t: key.valid_at(datetime.fromisoformat(t)) for t in times} == times
    assert KEY.valid_at(datetime.fromisoformat("2100-01-01T00:00:00Z"))


def test_rules_2_and_3_log_and_witness_keys() -> None:
    log, witness = vkey("l", ED25519), vkey("w", COSIGNATURE_V1)
    assert log_key("l", "l").key == log
    assert witness_key("w", "w").key == witness
    for origin, text, said in (
        ("other", log.text, "carries the name l"),
        ("w", witness.text, "algorithm 0x04"),
        ("l", "l", "not a verifier key"),
    ):
        with pytest.raises(ValidationError, match=said):
            LogKey(origin=origin, vkey=text, valid_from=SINCE)
    for name, text, said in (
        ("other", witness.text, "carries the name w"),
        ("l", log.text, "algorithm 0x01"),
    ):
        with pytest.raises(ValidationError, match=said):
            WitnessKey(name=name, vkey=text, valid_from=SINCE)


def test_rules_2_and_3_one_origin_and_one_name() -> None:
    first = log_key("uk.example/log", "a", SINCE, LATER)
    with pytest.raises(ValidationError, match="more than one origin"):
        changed(logs=(first, log_key("uk.example/other", "b", LATER)))
    eye = witness_key("uk.example/witness", "c", SINCE, LATER)
    with pytest.raises(ValidationError, match="more than one name"):
        changed(witnesses=(eye, witness_key("uk.example/eye", "d", LATER)))


def test_rule_4_witness_role_and_key_go_together() -> None:
    for fields in ({"witnesses": ()}, {"roles": granted("publisher")}):
        with pytest.raises(ValidationError, match="go together"):
            changed(**fields)


def test_rule_5_who_speaks_has_a_log_and_a_key() -> None:
    for fields in ({"logs": ()}, {"statement_keys": ()}):
        with pytest.raises(ValidationError, match="needs a log and a statement key"):
            changed(**fields)
    eye = changed(roles=granted("witness"), logs=(), statement_keys=())
    assert eye.current_roles == ("witness",)
    ended = log_key("uk.example/log", "a", SINCE, LATER)
    with pytest.raises(ValidationError, match="needs a log and a statement key"):
        changed(logs=(ended,))


def test_rule_6_why_it_ended_is_said_only_of_what_ended() -> None:
    with pytest.raises(ValidationError, match="no time of its end"):
        RoleGrant(role="publisher", valid_from=SINCE, ended="left")


def test_rule_7_of_one_kind_no_two_hold_at_once() -> None:
    old = log_key("uk.example/log", "a", SINCE, LATER)
    new = log_key("uk.example/log", "b", LATER)
    party = changed(logs=(old, new))
    assert (party.log, party.log_keys) == (new, (old.key, new.key))
    early = log_key("uk.example/log", "b", "2026-01-31T23:59:59Z")
    for logs in ((old, early), (new, old), (log_key("uk.example/log", "a"), new)):
        with pytest.raises(ValidationError, match="begins before the last has ended"):
            changed(logs=logs)
    again = (*granted("publisher"), *granted("publisher", since=LATER), *granted("witness"))
    with pytest.raises(ValidationError, match="begins before the last has ended"):
        changed(roles=again)


def test_rule_7_roles_are_sorted() -> None:
    with pytest.raises(ValidationError, match="not sorted"):
        changed(roles=granted("witness", "publisher"))


def test_rule_8_roles_codes_and_names() -> None:
    with pytest.raises(ValidationError):
        changed(roles=())
    with pytest.raises(ValidationError):
        granted("king")
    for code in ("", "uK", "GBR", "a_b", "-a", "a-"):
        with pytest.raises(ValidationError):
            changed(code=code)
    assert changed(code="exemplar-ai").code == "exemplar-ai"
    with pytest.raises(ValidationError):
        changed(name="")


def test_who_left_has_said_what_it_said() -> None:
    def ended(entry: Lasting) -> dict[str, object]:
        return {**entry.model_dump(exclude_none=True), "valid_until": LATER, "ended": "left"}

    left = changed(
        roles=tuple(ended(grant) for grant in UK.roles),
        statement_keys=tuple(ended(key) for key in UK.statement_keys),
        logs=tuple(ended(log) for log in UK.logs),
        witnesses=tuple(ended(witness) for witness in UK.witnesses),
    )
    assert (left.log, left.witness, left.current_roles) == (None, None, ())
    assert left.origin == "uk.example/log"
    assert left.may_say("evidence", NOW - timedelta(days=30))
    assert not left.may_say("evidence", NOW)
    assert left.could_ever_say("evidence")


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        changed(email="someone@example.org")


def test_roles_say_their_kinds_and_no_others() -> None:
    assert UK.may_say("evidence", NOW)
    assert not UK.may_say("evidence", NOW - timedelta(days=365))
    for kind in ("protocol", "unheard-of"):
        assert not UK.may_say(kind, NOW)
        assert not UK.could_ever_say(kind)
    assert not changed(roles=granted("witness")).may_say("evidence", NOW)
    both = changed(roles=granted("coordinator", "publisher", "witness"))
    assert both.may_say("evidence", NOW)
    assert both.may_say("finding", NOW)


def test_every_kind_of_record_can_be_said_by_some_role() -> None:
    sayable = set().union(*MAY_SAY.values())
    own = {kind for kind, cls in Record.KINDS.items() if cls.__module__.startswith("countermark.")}
    assert sayable >= own
