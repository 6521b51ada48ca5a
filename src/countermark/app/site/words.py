# SPDX-License-Identifier: Apache-2.0
"""The words of the record, each explained once; pages link to them where they are used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word and what it means here."""

    term: str
    meaning: str


WORDS: dict[str, Word] = {
    "account": Word(
        "account",
        "What a developer itself says has changed between two versions of its framework, in a "
        "signed statement.",
    ),
    "alarm": Word(
        "alarm",
        "What a developer’s history shows on its own: a published file that changed while its "
        "label did not, or an older version that was logged after a newer one.",
    ),
    "benchmark": Word(
        "benchmark rate",
        "The rate on exactly these test items, averaged over the labs. Its interval covers what "
        "other labs and other tries would change, but not what other items would.",
    ),
    "cell": Word("cell", "One system, one task and one language."),
    "checkpoint": Word(
        "checkpoint",
        "The author's signed word on how long its log is and what its root is. Whoever holds two "
        "checkpoints can prove that nothing in between was taken out or changed.",
    ),
    "content-address": Word(
        "content address",
        "A SHA-256 fingerprint of a record's bytes. If any byte changes, so does the address.",
    ),
    "control": Word(
        "control item",
        "A harmless question in the same language. Where a system fails its controls it cannot "
        "follow the language well enough, and a low rate on the test items says nothing.",
    ),
    "countersignature": Word(
        "countersignature",
        "A participant's signed assent to a protocol, or to a finding whose figures it has "
        "computed again from the revealed evidence.",
    ),
    "decision": Word(
        "decision",
        "A framework's thresholds held against a finding. It says MAY, MUST NOT or NOT ENOUGH "
        "EVIDENCE, and names the rule that decided.",
    ),
    "determination": Word(
        "determination",
        "What a person found that no figure decides, signed: whether a threshold is reached, "
        "a mitigation in place, a duty fulfilled or a provision followed.",
    ),
    "dissent": Word(
        "dissent",
        "A participant's signed statement that its own computation gave other figures.",
    ),
    "equivalence": Word(
        "degree of equivalence",
        "How far one lab's rate lies from the other labs', divided by the expanded uncertainty of "
        "that difference (E n). Above 1, the lab is not equivalent to the others.",
    ),
    "estimand": Word(
        "estimand",
        "What a figure estimates: the rate on these items (benchmark), or on all items of which "
        "these are a sample (generalised).",
    ),
    "evidence": Word(
        "evidence",
        "One lab's signed results, revealed after every lab has sealed its own. Every sample that "
        "was submitted is counted: answered, refused, errored or missing.",
    ),
    "factor": Word(
        "factor", "A declared setting that may differ between labs, such as the temperature."
    ),
    "finding": Word(
        "joint finding",
        "What the labs found together: rates with intervals for each cell, and how far the labs "
        "agree. It never has one overall score.",
    ),
    "framework": Word(
        "framework",
        "One version of a developer's safety framework with its thresholds, fixed by its content "
        "address.",
    ),
    "gate": Word(
        "gate",
        "The rules that hold a framework against the evidence. They are numbered, and each "
        "decision names the one that decided.",
    ),
    "generalised": Word(
        "generalised rate",
        "The rate on all items of which these are a sample. Its interval is wider than that of "
        "the benchmark rate, because other items could have been drawn.",
    ),
    "institute": Word(
        "institute", "A member of the network. It has one or more labs that run the tests."
    ),
    "interval": Word(
        "interval",
        "The range of rates that the results are compatible with, at the level that is named "
        "beside it. A point alone says nothing about how sure it is.",
    ),
    "judge": Word(
        "judge",
        "A scorer that has an opinion, such as a set of rules or a model. Its errors are measured "
        "on answers that people have labelled; without such labels in a language its rates are "
        "not published there.",
    ),
    "joined": Word(
        "joined",
        "Of a company: it made the Frontier AI Safety Commitments, in Seoul in May 2024 or later. "
        "Many say that it signed them; here, “signed” is said of statements only.",
    ),
    "kept": Word(
        "kept, crossed, undetermined",
        "What becomes of a threshold. Kept: the evidence shows the system on the allowed side of "
        "it. That is a rate within the limit, what the threshold describes not reached, or "
        "security at the level or above. Crossed: the other side. Undetermined: neither is shown.",
    ),
    "leave-one-out": Word(
        "leave one lab out",
        "The same rate computed again without one lab, to see whether it hangs on that lab alone.",
    ),
    "log": Word(
        "log",
        "The list of everything an author has stated, in order. Statements can only be added.",
    ),
    "mandel": Word(
        "Mandel's h and k",
        "h: how many standard deviations of the labs' rates a lab's own lies from their mean. k: "
        "its own scatter over that of the labs together (ISO 5725-2).",
    ),
    "mitigation": Word(
        "mitigation",
        "A measure that is to keep a risk below a threshold. It counts only where evidence "
        "shows it in place, and the system tested with it.",
    ),
    "protocol": Word(
        "protocol",
        "The definition of a joint exercise: systems, tasks, items in every language, settings "
        "and scorers. All participants sign the same bytes.",
    ),
    "reply": Word(
        "reply",
        "What a developer answers to a statement about it, signed. It stands beside the "
        "statement and changes no state of its own accord.",
    ),
    "repeatability": Word(
        "repeatability",
        "How far one lab's own results scatter when it tries the same item again.",
    ),
    "reproducibility": Word(
        "reproducibility",
        "How far results scatter when another lab does the same test: scatter within and between "
        "labs together.",
    ),
    "roster": Word(
        "roster",
        "The signed list of the members, their keys and what each may sign.",
    ),
    "safety-case": Word(
        "safety case",
        "A decision as an argument: what is to be shown, how it is argued, and the evidence.",
    ),
    "seal": Word(
        "seal",
        "A lab's commitment to all its samples, logged before it can see anybody else's results.",
    ),
    "statement": Word(
        "statement",
        "A record that its author has signed with its key, with the proof of its place in its "
        "author's log. It is never edited; a correction is a new statement.",
    ),
    "threshold": Word(
        "threshold", "A limit that a developer has set itself for going on with a system."
    ),
    "witness": Word(
        "witness",
        "Another institute that has checked that a log only ever grew, and cosigned its "
        "checkpoint with the time.",
    ),
}
