# SPDX-License-Identifier: Apache-2.0
"""What may happen to a roster: members join, leave, get new keys and roles; keys are revoked.

Each function returns what ``roster.json`` says afterwards. Nothing is taken out of it; what ends
gets the time of its end. :func:`countermark.signing.ceremony.draft_next` makes the next roster of
the result, and the members sign that.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, NoReturn, TypeVar

from countermark.records.errors import InputError
from countermark.signing.party import (
    Lasting,
    LogKey,
    Party,
    Role,
    RoleGrant,
    StatementKey,
    WitnessKey,
)
from countermark.signing.quorum import NONE, Policy, k_of_n_policy
from countermark.signing.roster import POLICY_FILE, PolicyTerm, RosterContent

Why = Literal["rotated", "revoked", "left"]
E = TypeVar("E", bound=Lasting)


def join(content: RosterContent, party: Party) -> RosterContent:
    """Add a member or developer.

    Raises
    ------
    InputError
        If it is there already.
    """
    if any(known.code == party.code for known in content.parties):
        _refuse(f"is in the roster already: {party.code}", "Use --renew for its new keys.")
    return _with(content, (*content.parties, party))


def with_roles(party: Party, roles: Sequence[Role]) -> Party:
    """Return the first entry of a party with other roles; who is no witness needs no such key."""
    return Party.begin(
        party.code,
        party.name,
        roles,
        party.statement_keys[0] if party.statement_keys else None,
        party.log.key if party.log else None,
        party.witness.key if party.witness and "witness" in roles else None,
        party.roles[0].valid_from,
    )


def leave(content: RosterContent, code: str, at: str) -> RosterContent:
    """End whatever a member has and may, at a time (``2026-01-31T12:00:00Z``).

    Raises
    ------
    InputError
        If it is not in the roster, or something of it would end before it began.
    """

    def left(party: Party) -> Party:
        return _changed(
            party,
            roles=_end_all(party.roles, at, "left"),
            statement_keys=_end_all(party.statement_keys, at, "left"),
            logs=_end_all(party.logs, at, "left"),
            witnesses=_end_all(party.witnesses, at, "left"),
        )

    return _change_party(content, code, left)


def renew(content: RosterContent, entry: Party, at: str, why: Why = "rotated") -> RosterContent:
    """Put new keys in place of those that a member has, from a time on.

    Parameters
    ----------
    content
        What the roster says.
    entry
        The member with its new keys, as ``node rotate`` prints it. Keys that the roster has already
        stay as they are; times and roles in it do not matter.
    at
        From when the new keys hold and the old ones do not.
    why
        What the roster says of the old ones.

    Raises
    ------
    InputError
        If the member is not in the roster, or nothing in the entry is new.
    """

    def renewed(party: Party) -> Party:
        known = {key.keyid for key in party.statement_keys}
        fresh_keys = [key for key in entry.statement_keys if key.keyid not in known]
        vkeys = {log.vkey for log in party.logs} | {eye.vkey for eye in party.witnesses}
        fresh_logs = [log for log in entry.logs if log.vkey not in vkeys]
        fresh_witnesses = [eye for eye in entry.witnesses if eye.vkey not in vkeys]
        if not (fresh_keys or fresh_logs or fresh_witnesses):
            _refuse(f"holds no new key of {party.code}", "Give the entry of `node rotate`.")
        return _changed(
            party,
            statement_keys=_replace(party.statement_keys, fresh_keys, at, why),
            logs=_replace(party.logs, fresh_logs, at, why),
            witnesses=_replace(party.witnesses, fresh_witnesses, at, why),
        )

    return _change_party(content, entry.code, renewed)


def revoke(content: RosterContent, keyid: str, at: str) -> RosterContent:
    """End a statement key at a time: from when on it may have been in wrong hands.

    Raises
    ------
    InputError
        If the roster has no such statement key.
    """
    owner = next(
        (p for p in content.parties if any(key.keyid == keyid for key in p.statement_keys)), None
    )
    if owner is None:
        _refuse(f"has no statement key {keyid[:70]}", "See `countermark roster show`.")

    def revoked(party: Party) -> Party:
        keys = tuple(
            _ended(key, at, "revoked") if key.keyid == keyid else key
            for key in party.statement_keys
        )
        return _changed(party, statement_keys=keys)

    return _change_party(content, owner.code, revoked)


def grant(content: RosterContent, code: str, role: Role, at: str) -> RosterContent:
    """Give a member a role from a time on.

    Raises
    ------
    InputError
        If it has the role, or lacks the keys that the role needs.
    """

    def granted(party: Party) -> Party:
        if role in party.current_roles:
            _refuse(f"has the role {role} already: {code}", "Leave --grant out.")
        roles = [*party.roles, RoleGrant(role=role, valid_from=at)]
        return _changed(
            party, roles=tuple(sorted(roles, key=lambda entry: (entry.role, entry.valid_from)))
        )

    return _change_party(content, code, granted)


def withdraw(content: RosterContent, code: str, role: Role, at: str) -> RosterContent:
    """Take a role from a member at a time; a witness's key ends with it.

    Raises
    ------
    InputError
        If it does not have the role.
    """

    def withdrawn(party: Party) -> Party:
        if role not in party.current_roles:
            _refuse(f"does not have the role {role}: {code}", "See `countermark roster show`.")
        roles = tuple(
            _ended(entry, at, None) if entry.role == role and not entry.valid_until else entry
            for entry in party.roles
        )
        eyes = _end_all(party.witnesses, at, None) if role == "witness" else party.witnesses
        return _changed(party, roles=roles, witnesses=eyes)

    return _change_party(content, code, withdrawn)


def replace_policy(
    content: RosterContent, policies: dict[str, bytes], text: str, at: str
) -> tuple[RosterContent, dict[str, bytes]]:
    """Put a policy in force from a time on; return what the roster says and all policies' texts.

    Where the text is that of the policy in force, nothing changes.

    Raises
    ------
    InputError
        If the policy in force would end before it began.
    """
    if policies[POLICY_FILE] == text.encode():
        return content, policies
    *before, last = content.policies
    name = f"policy-{len(content.policies)}.txt"
    ended = PolicyTerm.model_validate(
        {**_ended(last, at, None).model_dump(exclude_none=True), "file": name}
    )
    terms = (*before, ended, PolicyTerm(file=POLICY_FILE, valid_from=at))
    texts = {**policies, name: policies[POLICY_FILE], POLICY_FILE: text.encode()}
    return RosterContent(parties=content.parties, policies=terms), texts


def policy_for(parties: Sequence[Party], threshold: int) -> str:
    """Return the policy: any ``threshold`` of the witnesses that stand, for the logs that stand.

    Raises
    ------
    InputError
        If the threshold does not fit.
    """
    return k_of_n_policy(
        [party.log.key for party in parties if party.log],
        [party.witness.key for party in parties if party.witness],
        threshold,
    )


def simple_threshold(policy: Policy) -> int | None:
    """Return k of a policy "any k of all its witnesses", or nothing if it says something else."""
    names = {witness.name for witness in policy.witnesses}
    if len(policy.groups) != 1 or policy.quorum == NONE:
        return None
    group = policy.groups[0]
    return group.threshold if group.name == policy.quorum and set(group.members) == names else None


def _change_party(
    content: RosterContent, code: str, change: Callable[[Party], Party]
) -> RosterContent:
    if all(party.code != code for party in content.parties):
        _refuse(f"has no party {code}", "See `countermark roster show` for the codes.")
    parties = tuple(change(party) if party.code == code else party for party in content.parties)
    return _with(content, parties)


def _with(content: RosterContent, parties: tuple[Party, ...]) -> RosterContent:
    return RosterContent(parties=parties, policies=content.policies)


def _changed(
    party: Party,
    *,
    roles: tuple[RoleGrant, ...] | None = None,
    statement_keys: tuple[StatementKey, ...] | None = None,
    logs: tuple[LogKey, ...] | None = None,
    witnesses: tuple[WitnessKey, ...] | None = None,
) -> Party:
    try:
        return Party(
            code=party.code,
            name=party.name,
            roles=party.roles if roles is None else roles,
            statement_keys=party.statement_keys if statement_keys is None else statement_keys,
            logs=party.logs if logs is None else logs,
            witnesses=party.witnesses if witnesses is None else witnesses,
        )
    except ValueError as error:
        raise InputError(
            f"cannot be changed so: {error}",
            where=party.code,
            next_step="Change what belongs together at once: roles, and the keys that they need.",
        ) from error


def _replace(old: tuple[E, ...], fresh: Sequence[E], at: str, why: Why) -> tuple[E, ...]:
    if not fresh:
        return old
    begun = [_copy(entry, {"valid_from": at}, drop=("valid_until", "ended")) for entry in fresh]
    return (*_end_all(old, at, why), *begun)


def _end_all(entries: tuple[E, ...], at: str, why: Why | None) -> tuple[E, ...]:
    return tuple(_ended(e, at, why) if e.valid_until is None else e for e in entries)


def _ended(entry: E, at: str, why: Why | None) -> E:
    # A key that was planned to end later, or was found stolen earlier, ends at the earlier time.
    until = min(at, entry.valid_until) if entry.valid_until else at
    if datetime.fromisoformat(until) < datetime.fromisoformat(entry.valid_from):
        _refuse(
            f"would end at {until}, and began at {entry.valid_from}",
            "Give a later --at.",
        )
    end: dict[str, object] = {"valid_until": until}
    return _copy(entry, {**end, "ended": why} if why else end, drop=("ended",))


def _copy(entry: E, fields: dict[str, object], drop: tuple[str, ...]) -> E:
    kept = {k: v for k, v in entry.model_dump(exclude_none=True).items() if k not in drop}
    return type(entry).model_validate({**kept, **fields})


def _refuse(what: str, next_step: str) -> NoReturn:
    raise InputError(what, where="the roster", next_step=next_step)
