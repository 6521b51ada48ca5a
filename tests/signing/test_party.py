# SPDX-License-Identifier: Apache-2.0
from datetime import datetime

import pytest
from pydantic import ValidationError

from countermark.records.base import Record
from countermark.signing.keys import public_hex
from countermark.signing.party import MAY_SAY, LogKey, Party, StatementKey, WitnessKey
from countermark.signing.vkey import COSIGNATURE_V1, ED25519
from tests.signing.conftest import party, private, vkey

UK = party("UK")
KEY = UK.statement_keys[0]


def changed(**fields: object) -> Party:
    return Party(**{**dict(UK), **fields})


def test_rule_1_a_key_id_is_the_hash_of_its_key() -> None:
    with pytest.raises(ValidationError, match="another key id"):
        StatementKey(keyid="0" * 64, public=KEY.public, valid_from=KEY.valid_from)


def test_rule_1_a_key_begins_before_it_ends_and_times_are_real() -> None:
    public = public_hex(private("UK"))
    for ends in ("2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z"):
        with pytest.raises(ValidationError, match="ends before it begins"):
            StatementKey.of(public, "2026-01-01T00:00:00Z", ends)
    with pytest.raises(ValidationError):
        StatementKey.of(public, "2026-13-01T00:00:00Z")


def test_rule_1_validity_includes_the_first_second_and_not_the_last() -> None:
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
    assert LogKey(origin="l", vkey=log.text).key == log
    assert WitnessKey(name="w", vkey=witness.text).key == witness
    with pytest.raises(ValidationError, match="carries the name l"):
        LogKey(origin="other", vkey=log.text)
    with pytest.raises(ValidationError, match="algorithm 0x04"):
        LogKey(origin="w", vkey=witness.text)
    with pytest.raises(ValidationError, match="carries the name w"):
        WitnessKey(name="other", vkey=witness.text)
    with pytest.raises(ValidationError, match="algorithm 0x01"):
        WitnessKey(name="l", vkey=log.text)
    with pytest.raises(ValidationError, match="not a verifier key"):
        LogKey(origin="l", vkey="l")


def test_rule_4_witness_role_and_key_go_together() -> None:
    for fields in ({"witness": None}, {"roles": ("publisher",)}):
        with pytest.raises(ValidationError, match="go together"):
            changed(**fields)


def test_rule_5_who_speaks_has_a_log_and_a_key() -> None:
    for fields in ({"log": None}, {"statement_keys": ()}):
        with pytest.raises(ValidationError, match="needs a log and a statement key"):
            changed(**fields)
    assert changed(roles=("witness",), log=None, statement_keys=()).roles == ("witness",)


def test_rule_6_roles_codes_and_names() -> None:
    for roles in (("witness", "publisher"), ("publisher", "publisher", "witness"), (), ("king",)):
        with pytest.raises(ValidationError):
            changed(roles=roles)
    for code in ("", "uK", "GBR", "a_b", "-a", "a-"):
        with pytest.raises(ValidationError):
            changed(code=code)
    assert changed(code="exemplar-ai").code == "exemplar-ai"
    with pytest.raises(ValidationError):
        changed(name="")


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        changed(email="someone@example.org")


def test_roles_say_their_kinds_and_no_others() -> None:
    assert UK.may_say("evidence")
    assert not UK.may_say("protocol")
    assert not UK.may_say("unheard-of")
    assert not changed(roles=("witness",)).may_say("evidence")
    both = changed(roles=("coordinator", "publisher", "witness"))
    assert both.may_say("evidence")
    assert both.may_say("finding")


def test_every_kind_of_record_can_be_said_by_some_role() -> None:
    sayable = set().union(*MAY_SAY.values())
    own = {kind for kind, cls in Record.KINDS.items() if cls.__module__.startswith("countermark.")}
    assert sayable >= own
