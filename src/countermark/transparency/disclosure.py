# SPDX-License-Identifier: Apache-2.0
"""One disclosed sample as a file, and what shows that it was sealed.

A lab's sealed tree has two leaves a sample, so the two leaves of one sample are always siblings.
Their parent is the sample's own node, and one path leads from it to the root. A file is valid if
and only if all of these hold. Each is one check, in this order:

1. **Form.** The file parses as a closed object, its bytes are the one canonical form, and it shows
   the scores or the transcript.
2. **Seal.** It names a seal that is known here, says how many samples that seal covers, and its
   index is one of them.
3. **Proof.** What it shows, salted, and the hash of what it does not show, lead along the path to
   the sealed root.
4. **Key.** Where scores and transcript are both shown, they are of one sample.

Any input gives a verdict; no input raises. That the seal itself was signed, logged and witnessed
is for the caller to verify.
"""

from collections.abc import Mapping

from pydantic import ValidationError

from countermark.records.canonical import JsonValue, canonical, read_object
from countermark.records.errors import InputError
from countermark.records.sample import (
    ClosedLeaf,
    DisclosedSample,
    OpenScores,
    OpenTranscript,
    RevealedSample,
)
from countermark.transparency.commitment import salted_leaf
from countermark.transparency.tree import node_hash, verify_inclusion
from countermark.transparency.verify import Check

MAX_BYTES = 4 * 1024 * 1024
TITLES = {
    1: "The file is whole and in its one form",
    2: "It names a seal that is known here",
    3: "What it shows is what was sealed",
    4: "Its parts are of one sample",
}
"""A short title of each rule, for people."""


def sample_leaves(sample: RevealedSample) -> tuple[bytes, bytes]:
    """Return the two leaves of a sample as it is shown: of its scores, and of its transcript."""
    return _leaf(sample.scores), _leaf(sample.transcript)


def sample_node(sample: RevealedSample) -> bytes:
    """Return the parent of a sample's two leaves."""
    return node_hash(*sample_leaves(sample))


def to_file(disclosed: DisclosedSample) -> bytes:
    """Return the bytes of a disclosed sample's file: canonical JSON and one newline."""
    value: JsonValue = disclosed.model_dump(mode="json", exclude_none=True)
    return canonical(value) + b"\n"


def read_disclosed(data: bytes, *, where: str) -> DisclosedSample:
    """Read a disclosed sample; nothing but its form (rule 1) is checked.

    Raises
    ------
    InputError
        If it is not the one canonical byte form of a disclosed sample.
    """
    value = read_object(data, where=where, max_bytes=MAX_BYTES)
    try:
        disclosed = DisclosedSample.model_validate_json(canonical(value))
    except ValidationError as error:
        raise _bad(_first(error), where) from error
    if to_file(disclosed) != data:
        raise _bad("is not in the one canonical byte form", where)
    if disclosed.sample.open_scores is None and disclosed.sample.open_transcript is None:
        raise _bad("shows neither the scores nor the transcript", where)
    return disclosed


def verify_disclosure(data: bytes, seals: Mapping[str, tuple[str, int]]) -> tuple[Check, ...]:
    """Check a disclosed sample against the seals that the caller has verified.

    Parameters
    ----------
    data
        The bytes of the file.
    seals
        Content address of each sealed-result (the record's digest), to its root in hex and its
        number of samples.

    Returns
    -------
    tuple of Check
        One for each rule; never an exception, whatever the bytes.
    """
    try:
        disclosed = read_disclosed(data, where="the file")
    except InputError as error:
        failed = _check(1, f"{error.where}: {error.what}", "")
        return failed, *(_unreached(rule, "the file could not be read") for rule in (2, 3, 4))
    sample = disclosed.sample
    form = _check(1, None, f"{len(data):,} bytes, canonical; {shown(sample)}")
    known = seals.get(disclosed.seal)
    place = _check(2, _place_problem(disclosed, known), _place(disclosed))
    proof = (
        _check(3, _proof_problem(disclosed, known[0]), f"{len(disclosed.path)} hashes to the root")
        if known and place.ok
        else _unreached(3, "the seal is not known")
    )
    return form, place, proof, _check(4, _key_problem(sample), _name(sample))


def shown(sample: RevealedSample) -> str:
    """Say which parts of a sample are open, in plain words."""
    match sample.open_scores is not None, sample.open_transcript is not None:
        case True, True:
            return "shows scores and transcript"
        case True, False:
            return "shows scores; the transcript is closed"
        case False, True:
            return "shows the transcript; the scores are closed"
        case _:
            return "shows nothing"


def _place_problem(disclosed: DisclosedSample, known: tuple[str, int] | None) -> str | None:
    if known is None:
        return f"the sealed-result {disclosed.seal} is not here"
    if disclosed.samples != known[1]:
        return f"it speaks of {disclosed.samples} samples, and the seal covers {known[1]}"
    if disclosed.index >= known[1]:
        return f"index {disclosed.index} is not one of the {known[1]} samples"
    return None


def _place(disclosed: DisclosedSample) -> str:
    return f"sample {disclosed.index} of {disclosed.samples} under {disclosed.seal}"


def _proof_problem(disclosed: DisclosedSample, root: str) -> str | None:
    path = tuple(bytes.fromhex(value) for value in disclosed.path)
    # With an even number of leaves every pair has its own parent: the sealed tree over 2n leaves is
    # the tree over the n parents.
    holds = verify_inclusion(
        sample_node(disclosed.sample),
        disclosed.index,
        disclosed.samples,
        path,
        bytes.fromhex(root),
    )
    return None if holds else "it does not lead to the sealed root: value, salt or path is another"


def _key_problem(sample: RevealedSample) -> str | None:
    scores, transcript = sample.open_scores, sample.open_transcript
    same = scores is None or transcript is None or scores.key == transcript.key
    return None if same else "the scores are of one sample and the transcript of another"


def _name(sample: RevealedSample) -> str:
    open_part = sample.open_scores or sample.open_transcript
    return "" if open_part is None else open_part.key.text


def _leaf(part: OpenScores | OpenTranscript | ClosedLeaf) -> bytes:
    if isinstance(part, ClosedLeaf):
        return bytes.fromhex(part.leaf)
    value: JsonValue = part.value.model_dump(mode="json", exclude_none=True)
    return salted_leaf(bytes.fromhex(part.salt), value)


def _check(rule: int, problem: str | None, fine: str) -> Check:
    return Check(rule, TITLES[rule], problem is None, fine if problem is None else problem)


def _unreached(rule: int, because: str) -> Check:
    return Check(rule, TITLES[rule], False, f"not reached: {because}", False)


def _first(error: ValidationError) -> str:
    detail = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(step) for step in detail["loc"]) or "the document"
    return f"is no disclosed sample: {path}: {detail['msg']}"


def _bad(what: str, where: str) -> InputError:
    return InputError(
        what, where=where, next_step="Ask the lab for the file again, and do not edit it."
    )
