# SPDX-License-Identifier: Apache-2.0
"""Verification of a published statement, offline, against a roster.

A statement is valid if and only if all of these hold. Each is one check, in this order:

1. **Form.** The file parses and is the one canonical byte form.
2. **Signature.** The envelope is signed by a statement key of the roster.
3. **Authority.** At the witnessed time (the earliest at which the quorum policy was met,
   ``policy.py`` rule 3) the key was valid and the roster had not expired; the party held a role
   that may say this kind of record; and the record's speaker, if it names one, is that party's
   code. A name may change, and is only shown.
4. **Content.** The payload is one canonical in-toto statement, and the digest and type it states
   are those of the record inside.
5. **Inclusion.** The statement's leaf is at the stated index under the checkpoint's root.
6. **Log.** The checkpoint is of the author's own rostered log, and signed by the key that this log
   had at the witnessed time.
7. **Witnesses.** Every other signature line is a verified cosignature by a key that a witness of
   the roster has or had; no line is unknown, and no name there twice; none is more than 30 seconds
   later than the clock; the log's line is first and witnesses are sorted by name; and those that
   count meet the quorum policy that was in force. One whose key was not valid at its own time
   does not count, which is said, and spoils nothing.

What ended later (a key revoked, a member that left, a policy replaced, a roster expired) takes
nothing away from what was witnessed before.

A check that cannot be made because an earlier one failed is *not reached*, and not ok. Any input
gives a verdict; no input raises. What the statement says is handed out only if it is valid.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from countermark.records.base import Record
from countermark.records.errors import CountermarkError, InputError, VerificationError
from countermark.signing.envelope import record_of, verify
from countermark.signing.party import Party, StatementKey
from countermark.signing.roster import Roster
from countermark.transparency.checkpoint import Checkpoint
from countermark.transparency.note import Note, in_canonical_order
from countermark.transparency.policy import QuorumVerdict, Sighting, judge_quorum, sighting
from countermark.transparency.statement import StatementFile, leaf_for
from countermark.transparency.tree import leaf_hash, verify_inclusion

TITLES = {
    1: "The file is whole and in its one form",
    2: "A member of the roster signed it",
    3: "That member may say this, and its key was valid",
    4: "The content is what was signed",
    5: "It is in the log",
    6: "The log is the author's own",
    7: "Enough other members witnessed the log",
}
"""A short title of each rule, for people."""

CLOCK_SKEW = timedelta(seconds=30)
_NO_TIME = "no quorum of witnesses says when"


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one rule.

    Parameters
    ----------
    rule
        Its number in the module docstring.
    title
        What it asks, in a few words.
    ok
        It holds.
    detail
        Why, in plain words.
    reached
        False if an earlier failure left nothing to check.
    """

    rule: int
    title: str
    ok: bool
    detail: str
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict on one statement file.

    Parameters
    ----------
    checks
        One for each rule, in order.
    record
        What was said.
    author
        Roster code of whoever said it.
    envelope
        Content address of the signed envelope.
    origin, index, size
        The author's log, the statement's place in it, and how many leaves its checkpoint covers.
    witnessed
        The witnessed time (UTC, ``2026-01-31T12:00:00Z``).
    witnesses
        Names of the witnesses that counted, sorted.

    All but ``checks`` are empty unless every check is ok.
    """

    checks: tuple[Check, ...]
    record: Record | None = None
    author: str | None = None
    envelope: str | None = None
    origin: str | None = None
    index: int | None = None
    size: int | None = None
    witnessed: str | None = None
    witnesses: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Every rule holds."""
        return all(check.ok for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.ok)


@dataclass
class _Ledger:
    """The checks as they are made."""

    checks: dict[int, Check] = field(default_factory=dict)

    def note(self, rule: int, problem: str | None, fine: str) -> None:
        detail = fine if problem is None else problem
        self.checks[rule] = Check(rule, TITLES[rule], problem is None, detail)

    def skip(self, rule: int, because: str) -> None:
        self.checks[rule] = Check(rule, TITLES[rule], False, f"not reached: {because}", False)

    def ordered(self) -> tuple[Check, ...]:
        return tuple(self.checks[rule] for rule in TITLES)


def verify_statement(data: bytes, roster: Roster, at: datetime) -> Verification:
    """Check a statement file against a roster.

    Parameters
    ----------
    data
        The bytes of the file.
    roster
        A roster that :func:`countermark.signing.roster.load_roster` has verified.
    at
        The time of asking (UTC): now, or a past time to be told what held then. Nothing that was
        valid stops being so as time goes on; only cosignatures of the future are refused.

    Returns
    -------
    Verification
        One check for each rule; never an exception, whatever the bytes.
    """
    ledger = _Ledger()
    try:
        statement = StatementFile.from_bytes(data)
    except (InputError, VerificationError) as error:
        ledger.note(1, f"the file {error.what}", "")
        for rule in range(2, 8):
            ledger.skip(rule, "the file could not be read")
        return Verification(ledger.ordered())
    ledger.note(1, None, f"{len(data):,} bytes, canonical")

    signer = _check_signature(ledger, statement, roster)
    record = _check_content(ledger, statement)
    quorum = _check_witnesses(ledger, statement, roster, at)
    checkpoint = statement.proof.checkpoint
    _check_authority(ledger, signer, record, quorum.witnessed, roster)
    _check_inclusion(ledger, statement, record, checkpoint)
    _check_log(ledger, statement, checkpoint, signer, quorum.witnessed)

    checks = ledger.ordered()
    if record is None or signer is None or not all(check.ok for check in checks):
        return Verification(checks)
    return Verification(
        checks,
        record=record,
        author=signer[0].code,
        envelope=statement.envelope.digest,
        origin=checkpoint.origin,
        index=statement.proof.index,
        size=checkpoint.size,
        witnessed=_stamp(quorum.witnessed) if quorum.witnessed else None,
        witnesses=quorum.counted,
    )


def _check_signature(
    ledger: _Ledger, statement: StatementFile, roster: Roster
) -> tuple[Party, StatementKey] | None:
    """Rule 2; returns the signer if the signature verifies."""
    envelope = statement.envelope
    known = roster.by_keyid(envelope.keyid)
    if known is None:
        ledger.note(2, f"the key {envelope.keyid[:12]}… is not in the roster", "")
        return None
    party, key = known
    if not verify(envelope, key.key):
        ledger.note(2, f"the signature is not by {party.name}'s key {key.keyid[:12]}…", "")
        return None
    ledger.note(2, None, f"signed by {party.name} ({party.code}), key {key.keyid[:12]}…")
    return known


def _check_content(ledger: _Ledger, statement: StatementFile) -> Record | None:
    """Rule 4; returns the record if it is what the envelope says it is."""
    try:
        record = record_of(statement.envelope)
    except CountermarkError as error:
        ledger.note(4, f"the envelope {error.what}", "")
        return None
    ledger.note(4, None, f"{record.kind_name()} {record.digest}")
    return record


def _check_authority(
    ledger: _Ledger,
    signer: tuple[Party, StatementKey] | None,
    record: Record | None,
    witnessed: datetime | None,
    roster: Roster,
) -> None:
    """Rule 3."""
    if signer is None:
        ledger.skip(3, "it is not known who signed")
    elif record is None:
        ledger.skip(3, "the content could not be read")
    elif witnessed is None:
        ledger.skip(3, _NO_TIME)
    else:
        party, key = signer
        problem = _authority_problem(party, key, record, witnessed, roster)
        fine = f"{party.code} may say {record.kind_name()}; key valid at {_stamp(witnessed)}"
        ledger.note(3, problem, fine)


def _authority_problem(
    party: Party, key: StatementKey, record: Record, witnessed: datetime, roster: Roster
) -> str | None:
    kind = record.kind_name()
    if witnessed >= roster.expires:
        return f"witnessed at {_stamp(witnessed)}, after the roster expired; get a newer roster"
    if not key.valid_at(witnessed):
        return f"witnessed at {_stamp(witnessed)}; the key is {key.lasting_words}"
    if not party.may_say(kind, witnessed):
        roles = ", ".join(party.roles_at(witnessed)) or "of no role"
        return f"{party.code} was {roles} at {_stamp(witnessed)}, which may not say {kind}"
    if record.speaker not in (None, party.code):
        return f"the record speaks for {str(record.speaker)[:60]}, and {party.code} signed it"
    return None


def _check_inclusion(
    ledger: _Ledger, statement: StatementFile, record: Record | None, checkpoint: Checkpoint
) -> None:
    """Rule 5."""
    if record is None:
        ledger.skip(5, "the content could not be read, so its leaf is not known")
        return
    proof = statement.proof
    leaf = leaf_hash(leaf_for(statement.envelope, record))
    included = verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    place = f"leaf {proof.index} of {checkpoint.size} in {checkpoint.origin}"
    ledger.note(5, None if included else f"the path does not lead from it to {place}", place)


def _check_log(
    ledger: _Ledger,
    statement: StatementFile,
    checkpoint: Checkpoint,
    signer: tuple[Party, StatementKey] | None,
    witnessed: datetime | None,
) -> None:
    """Rule 6."""
    if signer is None:
        ledger.skip(6, "it is not known whose log it should be")
    elif witnessed is None:
        ledger.skip(6, _NO_TIME)
    else:
        problem = _log_problem(statement.proof.note, checkpoint, signer[0], witnessed)
        ledger.note(6, problem, f"checkpoint of {checkpoint.origin}, signed by its key")


def _log_problem(
    note: Note, checkpoint: Checkpoint, party: Party, witnessed: datetime
) -> str | None:
    if party.origin is None:
        return f"the roster has no log of {party.code}"
    if party.origin != checkpoint.origin:
        return f"it is in the log {checkpoint.origin}; {party.code}'s is {party.origin}"
    signing = next((log for log in party.logs if note.signed_by(log.key)), None)
    if signing is None:
        return f"the checkpoint is not signed by the key of {party.origin}"
    if not signing.valid_at(witnessed):
        return f"witnessed at {_stamp(witnessed)}; the log's key is {signing.lasting_words}"
    return None


def _check_witnesses(
    ledger: _Ledger, statement: StatementFile, roster: Roster, at: datetime
) -> QuorumVerdict:
    """Rule 7; returns what the verified cosignatures amount to."""
    note = statement.proof.note
    origin = statement.proof.checkpoint.origin
    author = roster.by_origin(origin)
    log_keys = author.log_keys if author else ()
    sightings: list[Sighting] = []
    problems: list[str] = []
    for line in note.signatures:
        if any(line.is_by(key) for key in log_keys):
            continue  # rule 6 verifies it
        found = sighting(line, note.text, roster)
        if found is None:
            problems.append(f"the line of {line.name[:60]} is not a verified rostered cosignature")
        else:
            sightings.append(found)
            if found.cosignature.time > at + CLOCK_SKEW:
                stamp = _stamp(found.cosignature.time)
                problems.append(
                    f"{line.name} cosigned at {stamp}, which is later than {_stamp(at)}"
                )
    repeated = Counter(line.name for line in note.signatures)
    problems += [f"{name[:60]} is there twice" for name, n in repeated.items() if n > 1]
    if note.signatures != in_canonical_order(origin, note.signatures):
        problems.append("the lines are not in order (log first, then witnesses by name)")
    quorum = judge_quorum(roster, origin, sightings)
    if quorum.policy is None:
        problems.append("no witness that counts cosigned")
    elif not quorum.met:
        problems.append(f"{_listed(quorum)} do not meet the quorum {quorum.policy.quorum}")
    passed_over = [_why_not_counted(found) for found in quorum.passed_over]
    if problems:
        ledger.note(7, "; ".join(problems + passed_over), "")
    elif quorum.witnessed:
        since = f"{_listed(quorum)} cosigned, a quorum since {_stamp(quorum.witnessed)}"
        ledger.note(7, None, "; ".join([since, *passed_over]))
    return quorum


def _why_not_counted(found: Sighting) -> str:
    said = f"{found.key.name} cosigned at {_stamp(found.cosignature.time)} and does not count"
    if found.in_time:
        return f"{said}: the quorum policy did not list its key then"
    return f"{said}: its key is {found.key.lasting_words}"


def _listed(quorum: QuorumVerdict) -> str:
    counted = ", ".join(quorum.counted) or "no witnesses"
    return f"{counted} (and {quorum.own}, the log's own, not counted)" if quorum.own else counted


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
