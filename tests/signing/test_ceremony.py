# SPDX-License-Identifier: Apache-2.0
"""The ceremony, and the rules by which a newer roster may follow an older one."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from countermark.records.canonical import canonical, read_object
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.signing.ceremony import (
    Members,
    asked,
    create_roster,
    draft_first,
    draft_next,
    members_of,
    merge_signatures,
    refuse_draft,
    sign_draft,
)
from countermark.signing.changes import (
    grant,
    join,
    leave,
    policy_for,
    renew,
    replace_policy,
    revoke,
    simple_threshold,
    with_roles,
    withdraw,
)
from countermark.signing.keys import public_hex
from countermark.signing.party import Party, StatementKey
from countermark.signing.quorum import parse_policy
from countermark.signing.roster import (
    ANY_TIME,
    POLICY_FILE,
    ROSTER_FILE,
    TARGETS_FILE,
    RosterContent,
    load_roster,
    parse_content,
    refuse_rewriting,
)
from tests.signing.conftest import (
    EXPIRES,
    MEMBERS,
    NOW,
    PARTIES,
    POLICY,
    SINCE,
    party,
    private,
    signer,
)

AT = "2026-04-01T00:00:00Z"
LATER = "2026-05-01T00:00:00Z"
FILES = create_roster(PARTIES, POLICY, MEMBERS, 2, SINCE, EXPIRES)
CONTENT = parse_content(FILES[ROSTER_FILE])
KEYS = tuple(member.public_key for member in MEMBERS)


def following(
    content: RosterContent,
    kept: Mapping[str, bytes] = FILES,
    *,
    at: str = AT,
    quorum: int = 2,
    members: Members | None = None,
    sign: bool = True,
) -> dict[str, bytes]:
    texts = {term.file: kept[term.file] for term in content.policies}
    content, texts = replace_policy(content, texts, policy_for(content.parties, quorum), at)
    files = draft_next(kept, content, texts, members or members_of(kept), EXPIRES)
    return sign_draft(files, *MEMBERS) if sign else files


def entry_of(code: str, content: RosterContent = CONTENT) -> Party:
    return next(p for p in content.parties if p.code == code)


def test_rule_1_a_first_roster_needs_the_threshold() -> None:
    files = draft_first(PARTIES, POLICY, Members(KEYS, 2), SINCE, EXPIRES)
    assert {(one.file, one.threshold, one.signed) for one in asked(files)} == {
        ("1.root.json", 2, ()),
        (TARGETS_FILE, 2, ()),
    }
    for count, member in enumerate(MEMBERS[:2]):
        assert not any(one.complete for one in asked(files)), count
        with pytest.raises(VerificationError, match="enough members"):
            load_roster(files, NOW)
        files = sign_draft(files, member)
    assert all(one.complete for one in asked(files))
    assert load_roster(files, NOW).parties == PARTIES


def test_rule_2_the_next_roster_keeps_the_root_if_members_stay() -> None:
    files = following(revoke(CONTENT, PARTIES[0].statement_keys[0].keyid, AT))
    assert sorted(files) == sorted(FILES)
    assert files["1.root.json"] == FILES["1.root.json"]
    roster = load_roster(files, NOW)
    assert (roster.version, roster.anchor) == (2, load_roster(FILES, NOW).anchor)
    refuse_rewriting(FILES, files)


def test_rule_2_new_members_need_the_old_and_the_new_threshold() -> None:
    newcomer = signer("member 3")
    members = Members((*KEYS[1:], newcomer.public_key), 3)
    files = following(CONTENT, members=members, sign=False)
    assert [(one.file, one.threshold, len(one.missing)) for one in asked(files)] == [
        ("1.root.json", 2, 0),
        ("2.root.json", 2, 3),
        ("2.root.json", 3, 3),
        (TARGETS_FILE, 3, 3),
    ]
    new_only = sign_draft(files, newcomer, MEMBERS[1])
    with pytest.raises(VerificationError, match="enough members"):
        load_roster(new_only, NOW)
    whole = sign_draft(new_only, MEMBERS[2])
    assert load_roster(whole, NOW).version == 2
    assert members_of(whole) == members


def test_rule_3_a_stranger_is_not_asked() -> None:
    with pytest.raises(StateError, match="does not ask for the key"):
        sign_draft(FILES, signer("stranger"))


def test_rule_3_signing_changes_nothing_of_what_is_said() -> None:
    files = draft_first(PARTIES, POLICY, Members(KEYS, 2), SINCE, EXPIRES)
    two, three = sign_draft(files, *MEMBERS[:2]), sign_draft(files, *MEMBERS)
    assert two != three
    assert load_roster(two, NOW) == load_roster(three, NOW)
    assert sign_draft(three, MEMBERS[0]) == three
    refuse_rewriting(two, three)
    refuse_rewriting(three, two)


def test_rule_4_copies_signed_apart_are_merged() -> None:
    files = draft_first(PARTIES, POLICY, Members(KEYS, 2), SINCE, EXPIRES)
    copies = [sign_draft(files, member) for member in MEMBERS]
    merged = merge_signatures(merge_signatures(copies[0], copies[1]), copies[2])
    assert all(len(one.signed) == 3 for one in asked(merged))
    assert load_roster(merged, NOW).version == 1


def test_rule_4_a_signature_that_does_not_verify_is_not_taken_over() -> None:
    files = draft_first(PARTIES, POLICY, Members(KEYS, 2), SINCE, EXPIRES)
    theirs = sign_draft(files, MEMBERS[0])
    for name in ("1.root.json", TARGETS_FILE):
        start = theirs[name].index(b'"sig":"') + 7
        bad = b"00" if theirs[name][start : start + 2] != b"00" else b"11"
        theirs[name] = theirs[name][:start] + bad + theirs[name][start + 2 :]
    assert merge_signatures(files, theirs) == files


def test_rule_4_drafts_that_differ_are_not_merged() -> None:
    files = draft_first(PARTIES, POLICY, Members(KEYS, 2), SINCE, EXPIRES)
    other = draft_first(PARTIES[:3], _policy(PARTIES[:3]), Members(KEYS, 2), SINCE, EXPIRES)
    with pytest.raises(InputError, match="not the same in the two drafts"):
        merge_signatures(files, other)
    with pytest.raises(InputError, match="not the same in the two drafts"):
        merge_signatures(files, {**files, ROSTER_FILE: other[ROSTER_FILE]})


def test_rule_5_a_first_draft_and_the_next_one_may_be_signed() -> None:
    first = draft_first(PARTIES, POLICY, Members(KEYS, 2), SINCE, EXPIRES)
    refuse_draft(first, None)
    second = following(leave(CONTENT, "KR", AT), sign=False)
    refuse_draft(second, FILES)
    refuse_draft(sign_draft(second, MEMBERS[0]), sign_draft(second, *MEMBERS))


def test_rule_5_what_is_shown_is_what_gets_signed() -> None:
    draft = following(leave(CONTENT, "KR", AT), sign=False)
    for name in (ROSTER_FILE, POLICY_FILE):
        with pytest.raises(VerificationError, match="is not what was signed"):
            refuse_draft({**draft, name: FILES[name]}, FILES)


def test_rule_5_a_later_draft_needs_the_roster_in_force() -> None:
    for members in (None, Members(KEYS[:2], 2)):
        draft = following(CONTENT, members=members, sign=False)
        with pytest.raises(StateError, match="does not hold") as caught:
            refuse_draft(draft, None)
        assert "--from" in caught.value.next_step


def test_rule_5_a_draft_on_a_roster_that_was_never_seen() -> None:
    second = following(leave(CONTENT, "KR", AT))
    third = following(
        leave(parse_content(second[ROSTER_FILE]), "KE", LATER), second, at=LATER, quorum=1
    )
    refuse_draft(third, second)
    with pytest.raises(StateError, match="is version 3, and the roster held here is version 1"):
        refuse_draft(third, FILES)


def _policy(parties: tuple[Party, ...]) -> str:
    return policy_for(parties, 2)


def test_roster_rule_9_policies_are_named_and_follow_each_other() -> None:
    second = following(CONTENT, quorum=3)
    third = following(parse_content(second[ROSTER_FILE]), second, at=LATER, quorum=1)
    roster = load_roster(third, NOW)
    assert [(term.file, term.valid_from, term.valid_until) for term, _ in roster.policies] == [
        ("policy-1.txt", SINCE, AT),
        ("policy-2.txt", AT, LATER),
        ("policy.txt", LATER, None),
    ]
    assert [simple_threshold(policy) for _, policy in roster.policies] == [2, 3, 1]
    refuse_rewriting(FILES, second)
    refuse_rewriting(second, third)
    refuse_rewriting(FILES, third)


@pytest.mark.parametrize(
    "change",
    [
        lambda terms: terms[0].update(file="other.txt"),
        lambda terms: terms[0].update(valid_until="2026-03-01T00:00:00Z"),
        lambda terms: terms[1].update(valid_until=LATER),
        lambda terms: terms[0].pop("valid_until"),
        lambda terms: terms.reverse(),
    ],
)
def test_roster_rule_9_gaps_and_other_names(change: Callable[[Any], object]) -> None:
    second = following(CONTENT, quorum=3)
    terms = parse_content(second[ROSTER_FILE]).model_dump(mode="json", exclude_none=True)
    change(terms["policies"])
    content = parse_content(canonical(terms) + b"\n")
    texts = {term.file: second.get(term.file, second[POLICY_FILE]) for term in content.policies}
    with pytest.raises(InputError, match=r"does not name its policies|has a gap"):
        draft_next(FILES, content, texts, members_of(FILES), EXPIRES)


def test_roster_rule_10_an_earlier_policy_names_nobody_unknown() -> None:
    strangers = (*PARTIES[:3], party("SG"))
    second = following(CONTENT, quorum=3)
    content = parse_content(second[ROSTER_FILE])
    texts = {"policy-1.txt": _policy(strangers).encode(), POLICY_FILE: second[POLICY_FILE]}
    with pytest.raises(InputError, match="never had"):
        draft_next(FILES, content, texts, members_of(FILES), EXPIRES)


def test_roster_rule_11_another_first_root() -> None:
    other = create_roster(PARTIES, POLICY, MEMBERS[:2], 2, SINCE, EXPIRES)
    with pytest.raises(VerificationError, match=r"1\.root\.json.*not the one accepted before"):
        refuse_rewriting(FILES, other)
    with pytest.raises(VerificationError, match="not the one accepted before"):
        refuse_rewriting(FILES, {n: d for n, d in FILES.items() if n != "1.root.json"})


def test_roster_rule_12_an_older_one_or_another_of_the_same_version() -> None:
    second = following(leave(CONTENT, "KR", AT))
    with pytest.raises(VerificationError, match="version 2, another, was accepted before"):
        refuse_rewriting(second, FILES)
    with pytest.raises(VerificationError, match="version 2, another, was accepted before"):
        refuse_rewriting(second, following(leave(CONTENT, "KE", AT)))
    refuse_rewriting(second, second)


def forged(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    """A later roster that the members really signed, and that changes the past."""
    second = following(leave(CONTENT, "KR", AT))
    value = parse_content(second[ROSTER_FILE]).model_dump(mode="json", exclude_none=True)
    change(value)
    content = RosterContent.model_validate_json(canonical(value))
    texts = {term.file: second[term.file] for term in content.policies}
    texts[POLICY_FILE] = policy_for(content.parties, 2).encode()
    return sign_draft(draft_next(second, content, texts, members_of(second), EXPIRES), *MEMBERS)


def bring_back(value: dict[str, Any]) -> None:
    for name in ("roles", "statement_keys", "logs", "witnesses"):
        for entry in value["parties"][3][name]:
            entry.pop("valid_until")
            entry.pop("ended")


def bring_back_one(name: str) -> Callable[[dict[str, Any]], None]:
    """Let one thing of the member that left go on a little longer, and no other."""

    def change(value: dict[str, Any]) -> None:
        value["parties"][3][name][0]["valid_until"] = LATER

    return change


def begin_policy_earlier(value: dict[str, Any]) -> None:
    value["policies"][0]["valid_from"] = "2025-01-01T00:00:00Z"


def prolong(value: dict[str, Any]) -> None:
    for name in ("roles", "statement_keys", "logs", "witnesses"):
        for entry in value["parties"][3][name]:
            entry["valid_until"] = LATER


def begin_earlier(value: dict[str, Any]) -> None:
    value["parties"][0]["statement_keys"][0]["valid_from"] = "2025-01-01T00:00:00Z"


def forget(value: dict[str, Any]) -> None:
    del value["parties"][3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (bring_back, "prolongs what had ended"),
        (prolong, "prolongs what had ended"),
        (begin_earlier, "begin at another time"),
        (begin_policy_earlier, "does not list any more policy from"),
        (bring_back_one("roles"), "prolongs what had ended: KR: role"),
        (bring_back_one("statement_keys"), "prolongs what had ended: KR: statement key"),
        (bring_back_one("logs"), "prolongs what had ended: KR: key kr.example/log"),
    ],
)
def test_roster_rule_13_the_past_is_not_rewritten(
    change: Callable[[dict[str, Any]], object], said: str
) -> None:
    second = following(leave(CONTENT, "KR", AT))
    third = forged(change)
    assert load_roster(third, NOW).version == 3
    with pytest.raises(VerificationError, match=said):
        refuse_rewriting(second, third)
    unsigned = {**third, TARGETS_FILE: canonical({**_targets(third), "signatures": []}) + b"\n"}
    with pytest.raises(VerificationError, match=said) as caught:
        refuse_draft(unsigned, second)
    assert "Nothing was signed" in caught.value.next_step


def _targets(files: Mapping[str, bytes]) -> dict[str, Any]:
    return dict(read_object(files[TARGETS_FILE], where=TARGETS_FILE))


def test_roster_rule_13_nothing_is_forgotten() -> None:
    with pytest.raises(InputError, match="never had"):
        forged(forget)
    uk = entry_of("UK").model_copy(
        update={"statement_keys": (StatementKey.of(public_hex(private("UK new")), AT),)}
    )
    second = following(renew(CONTENT, uk, AT))
    content = parse_content(second[ROSTER_FILE])
    parties = tuple(
        p.model_copy(update={"statement_keys": p.statement_keys[-1:]}) for p in content.parties
    )
    third = following(RosterContent(parties=parties, policies=content.policies), second)
    assert load_roster(third, NOW).version == 3
    with pytest.raises(VerificationError, match="does not list any more UK: statement key"):
        refuse_rewriting(second, third)


def test_roster_rule_13_a_theft_may_be_found_out_late() -> None:
    keyid = PARTIES[0].statement_keys[0].keyid
    second = following(revoke(CONTENT, keyid, LATER))
    third = following(revoke(parse_content(second[ROSTER_FILE]), keyid, AT), second)
    refuse_rewriting(second, third)
    key = load_roster(third, NOW).by_keyid(keyid)
    assert key is not None
    assert (key[1].valid_until, key[1].ended) == (AT, "revoked")


def test_changes_say_what_is_wrong() -> None:
    uk = entry_of("UK")
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: join(CONTENT, uk), "in the roster already"),
        (lambda: leave(CONTENT, "ZZ", AT), "has no party ZZ"),
        (lambda: leave(CONTENT, "UK", "2025-12-31T00:00:00Z"), "would end at"),
        (lambda: renew(CONTENT, uk, AT), "holds no new key"),
        (lambda: revoke(CONTENT, "0" * 64, AT), "has no statement key"),
        (lambda: grant(CONTENT, "UK", "publisher", AT), "has the role publisher already"),
        (lambda: withdraw(CONTENT, "UK", "developer", AT), "does not have the role developer"),
    ]
    for change, said in cases:
        with pytest.raises(InputError, match=said) as caught:
            change()
        assert caught.value.next_step


def test_roles_come_and_go() -> None:
    content = grant(CONTENT, "UK", "coordinator", AT)
    assert entry_of("UK", content).current_roles == ("coordinator", "publisher", "witness")
    content = withdraw(content, "UK", "witness", LATER)
    uk = entry_of("UK", content)
    assert (uk.current_roles, uk.witness) == (("coordinator", "publisher"), None)
    only = with_roles(party("SG"), ["developer"])
    assert (only.current_roles, only.witnesses) == (("developer",), ())


def test_a_policy_that_is_not_simply_k_of_n() -> None:
    assert simple_threshold(parse_policy(POLICY.encode())) == 2
    lines = [
        *POLICY.splitlines()[:-2],
        "group a any uk.example/witness jp.example/witness",
        "group b any ke.example/witness kr.example/witness",
        "group both all a b",
        "quorum both",
    ]
    assert simple_threshold(parse_policy(("\n".join(lines) + "\n").encode())) is None


def test_expiry_renewed_makes_a_new_root() -> None:
    later = EXPIRES + timedelta(days=365)
    texts = {POLICY_FILE: FILES[POLICY_FILE]}
    files = draft_next(FILES, CONTENT, texts, members_of(FILES), later)
    assert "2.root.json" in files
    signed = sign_draft(files, *MEMBERS)
    assert load_roster(signed, EXPIRES).expires == later
    refuse_rewriting(FILES, signed)
    assert load_roster(signed, ANY_TIME).version == 2
