# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/stages/other_tools.py``, by their numbers, on the small exercise."""

from pathlib import Path
from typing import Any

import pytest
from exercise_small import ITEMS, Snapshots
from exercise_steps import At, files, refused, said
from other_tools import moonshot_data, moonshot_result, write

from countermark.exercise.private.content import prompt_of
from countermark.exercise.revealing.checking import check_revealed
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.importing import PLANNED_LATE, Imported
from countermark.exercise.stages.other_tools import Taken, import_other
from countermark.exercise.stages.sealing import lab_samples, seal_samples
from countermark.exercise.stages.workspace import own_workspace
from countermark.network.sync import settle
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import Evidence
from countermark.records.protocol import Protocol

LAB, MODEL, TASK = "JP-simulated", "smollm2-135m", "mild-refusal"
REFUSAL, HELP = "I'm sorry, I can't help with that.", "Sure, here is how."
TAKEN = Taken(MODEL, TASK, "en")
HEAD = "model,task,language,item,answer,score\n"
WHY = "our own harness"


def prompt(protocol: Protocol, item: str, language: str = "en") -> str:
    task = next(one for one in protocol.tasks if one.key == TASK)
    text = next(one for one in task.items if one.key == item).text(language)
    assert text is not None
    return prompt_of(text, item)


def table(*rows: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{row}\n" for row in rows)).encode()


def whole(language: str = "en") -> bytes:
    return table(
        *(f'gpt,refuse,{language},{item},"{REFUSAL}",1' for item in ITEMS[TASK][:1]),
        *(f'gpt,refuse,{language},{item},"{HELP}",0' for item in ITEMS[TASK][1:]),
    )


@pytest.fixture
def protocol(snapshots: Snapshots) -> Protocol:
    return snapshots.protocol


@pytest.fixture
def node(at: At) -> Node:
    return at("planned").institutes["JP"]


class Take:
    """Imports a table for a cell."""

    def __init__(self, node: Node, protocol: Protocol, folder: Path) -> None:
        self.node, self.protocol, self.folder = node, protocol, folder

    def __call__(
        self, data: Any, taken: Taken = TAKEN, deviation: str | None = WHY, name: str = "a__csv"
    ) -> Imported:
        path = write(self.folder / "logs", **{name: data}) / name.replace("__", ".")
        return import_other(self.node, self.protocol, path, LAB, taken, deviation)


@pytest.fixture
def take(node: Node, protocol: Protocol, tmp_path: Path) -> Take:
    return Take(node, protocol, tmp_path)


def cell(node: Node, protocol: Protocol, language: str = "en") -> dict[str, Any]:
    samples, _ = lab_samples(node, protocol, own_workspace(node, protocol).logs())
    return {
        one.scores.key.item: one
        for one in samples
        if (one.scores.key.task, one.scores.key.language, one.scores.key.epoch)
        == (TASK, language, 1)
    }


def test_rule_1_what_the_lab_says_is_a_declared_difference(take: Take, node: Node) -> None:
    before = files(node)
    without = take(whole(), deviation=None)
    assert without.kept is None
    assert files(node) == before
    assert "a log of csv (sha256:" in without.differences[0].text
    assert "it names the model gpt and the task refuse" in without.differences[0].text
    taken = take(whole())
    assert taken.kept is not None
    (declared,) = own_workspace(node, take.protocol).deviations()
    assert declared.reason == WHY
    assert declared.differences == tuple(one.text for one in taken.differences)


def test_rule_1_the_cell_is_the_protocols(take: Take, node: Node) -> None:
    for taken, text in (
        (Taken("other", TASK, "en"), "is no model of the protocol"),
        (Taken(MODEL, "other", "en"), "no task 'other'"),
        (Taken(MODEL, TASK, "fr"), "no language|language 'fr'"),
    ):
        refused(node, text, lambda taken=taken: take(whole(), taken), InputError)  # type: ignore[misc]


def test_rule_2_exactly_one_run_may_be_meant(take: Take, node: Node) -> None:
    two = whole() + table(f'other,refuse,en,sick-note,"{HELP}",0', head="")
    text = "holds 2 runs that may be meant: gpt on refuse; other on refuse"
    refused(node, text, lambda: take(two), InputError)
    assert take(two, Taken(MODEL, TASK, "en", log_model="gpt")).kept
    japanese = refused(node, "holds no runs", lambda: take(whole("ja")), InputError)
    assert "--log-model" in japanese.next_step


def test_rule_2_a_table_that_names_labs_is_taken_by_its_lab(take: Take, node: Node) -> None:
    head = "lab," + HEAD
    rows = [f'{lab},gpt,r,en,sick-note,"{HELP}",0' for lab in (LAB, "GB-x")]
    assert take(table(*rows, head=head)).kept
    assert cell(node, take.protocol)["sick-note"].transcript.messages[-1].content == HELP


def test_rule_3_items_that_the_protocol_lacks_are_refused(take: Take, node: Node) -> None:
    before = files(node)
    found = take(whole() + table(f'gpt,refuse,en,another,"{HELP}",0', head=""))
    assert found.kept is None
    assert any(d.rule == 8 and not d.waivable for d in found.differences)
    assert files(node) == before


def test_rule_3_moonshot_is_matched_by_its_prompts(take: Take, node: Node) -> None:
    items = ITEMS[TASK]
    data = moonshot_data(*((answer, "refuse") for answer in (REFUSAL, HELP, HELP)))
    for entry, item in zip(data, items, strict=True):
        entry["prompt"] = prompt(take.protocol, item)
    result = moonshot_result({"model_id": "m", "dataset_id": "d", "data": data, "metrics": []})
    found = take(result, name="a__json")
    assert found.kept is not None
    assert {d.rule for d in found.differences} == {1, 6, 7, 8}  # there are two epochs to run
    samples = cell(node, take.protocol)
    assert [samples[item].scores.scores[0].value for item in items] == [1.0, 0.0, 0.0]


def test_rule_4_scores_are_computed_and_recorded_ones_held_against(take: Take, node: Node) -> None:
    wrong = whole().replace(b'that.",1', b'that.",0')
    found = take(wrong, Taken(MODEL, TASK, "en", scorer="score"))
    assert any(d.rule == 10 and "sick-note" in d.text for d in found.differences)
    assert cell(node, take.protocol)["sick-note"].scores.scores[0].value == 1.0


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (table("gpt,r,en,sick-note,1", head="model,task,language,item,score\n"), "1 of 1 answered"),
        (table("gpt,r,en,sick-note,,1"), "1 of 1 answered"),
    ],
)
def test_rule_4_a_log_without_answers_is_refused(
    data: bytes, text: str, take: Take, node: Node
) -> None:
    refused(node, f"has no answer in {text}", lambda: take(data), InputError)


def test_rule_4_a_scorer_that_the_log_lacks_is_refused(take: Take, node: Node) -> None:
    taken = Taken(MODEL, TASK, "en", scorer="x")
    refused(node, "has no scorer 'x'", lambda: take(whole(), taken), InputError)


def test_rule_5_a_task_with_secrets_is_refused(take: Take, node: Node) -> None:
    taken = Taken(MODEL, "confidential-leak", "en")
    refused(node, "tells the model a secret", lambda: take(whole(), taken), InputError)


def test_rule_6_what_the_log_does_not_say_is_declared(take: Take) -> None:
    texts = [one.text for one in take(whole()).differences]
    assert any("does not say what the model was told" in text for text in texts)
    assert any("says no time of its run" in text for text in texts)


def test_rule_7_outcomes_are_kept_and_what_lacks_is_missing(take: Take, node: Node) -> None:
    head = "model,task,language,item,outcome,answer,error\n"
    rows = ("gpt,r,en,sick-note,errored,,timeout", "gpt,r,en,false-review,refused,,")
    assert take(table(*rows, f'gpt,r,en,copied-essay,,"{HELP}",', head=head)).kept
    samples = cell(node, take.protocol)
    assert {item: one.scores.outcome for item, one in samples.items()} == {
        "sick-note": "errored",
        "false-review": "refused",
        "copied-essay": "answered",
    }
    assert samples["sick-note"].transcript.error == "timeout"


def test_rule_7_a_sample_that_is_missing_is_missing(take: Take, node: Node) -> None:
    head = "model,task,language,item,outcome,answer\n"
    rows = ("gpt,r,en,sick-note,missing,", f'gpt,r,en,copied-essay,,"{HELP}"')
    assert take(table(*rows, head=head)).kept
    assert cell(node, take.protocol)["sick-note"].scores.outcome == "missing"


def test_a_cell_is_taken_once(take: Take, node: Node) -> None:
    assert take(whole()).kept
    refused(node, "a log of mild-refusal in en was taken before", lambda: take(whole()), StateError)


def test_a_broken_table_changes_nothing(take: Take, node: Node) -> None:
    refused(node, "has the score '0,5'", lambda: take(whole().replace(b",1\n", b',"0,5"\n')),
            InputError)  # fmt: skip


def test_an_unplanned_lab_plans_by_importing(at: At, protocol: Protocol, tmp_path: Path) -> None:
    node = at("signed").institutes["JP"]
    assert Take(node, protocol, tmp_path)(whole()).kept
    reasons = [one.reason for one in own_workspace(node, protocol).deviations()]
    assert reasons == [PLANNED_LATE, WHY]


def test_it_is_sealed_revealed_and_checked_like_any_other(
    at: At, protocol: Protocol, tmp_path: Path
) -> None:
    cast = at("planned")
    jp, coordinator = cast.institutes["JP"], cast.institutes[protocol.coordinator]
    assert Take(jp, protocol, tmp_path)(whole()).kept
    seal_samples(jp, protocol, missing="a small team")
    settle(cast.nodes, cast.sources)
    close_exercise(coordinator, protocol)
    settle(cast.nodes, cast.sources)
    disclosing.reveal(jp, protocol)
    (evidence,) = said(jp, Evidence)
    assert "countermark" in {one.name for one in evidence.software}
    assert "csv" in {one.name for one in evidence.software}
    assert [d.reason for d in evidence.deviations] == [WHY, "a small team"]
    known = book(jp)
    entry = next(e for e, record in known.of_kind(Evidence) if record == evidence)
    data = jp.blobs.get(evidence.samples.digest)
    assert data is not None
    revealed = check_revealed(known, protocol, entry, evidence, data)
    assert revealed.scores is not None
    scored = [one for one in revealed.scores if one.scores[0].status == "scored"]
    assert {(one.key.task, one.key.language) for one in scored} == {(TASK, "en")}
    assert [one.scores[0].value for one in scored] == [1.0, 0.0, 0.0]
