# SPDX-License-Identifier: Apache-2.0
"""Broken and hostile Inspect logs: each is refused by an error that names the file and the sample,
and nothing is changed; odd ones that are no fault are read."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exercise_zip import BZIP2, DEFLATED, HEADER, SAMPLE, STORED, ZSTANDARD, Member, member, zip_of
from fuzzing import bent, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countermark.exercise.reading.detect import read_runs
from countermark.exercise.reading.found import FoundRun
from countermark.exercise.reading.inspect_log import columns
from countermark.exercise.reading.inspect_log import log as log_module
from countermark.exercise.reading.inspect_log.shapes import UnknownShape
from countermark.exercise.reading.summary import RunSummary, summarise
from countermark.records.errors import InputError

Write = Callable[[bytes, str], Path]
NAME = "samples/a_epoch_1.json"
GOOD = member(NAME, SAMPLE)
HEAD = member("header.json", HEADER)
GIB = 1024**3


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(data: bytes, name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return to_file


def run_of(path: Path) -> FoundRun:
    (run,) = read_runs(path)
    return run


def summary_of(path: Path) -> RunSummary:
    return summarise(run_of(path))


def raw(contents: bytes, name: str = NAME) -> Member:
    return Member(name, contents)


def plain(**changes: Any) -> bytes:
    return json.dumps({"version": 2, **HEADER, "samples": [SAMPLE], **changes}).encode()


def scored(**changes: Any) -> dict[str, Any]:
    return {**SAMPLE, "scores": {"match": {"value": "C"}}, **changes}


ZIPS: dict[str, tuple[bytes, str, bool]] = {
    # what: (the file, words of the refusal, whether it names the sample)
    "empty": (b"", "does not start as a zip", False),
    "no zip": (b"%PDF-1.7", "does not start as a zip", False),
    "no log": (zip_of([Member("word/document.xml", b"<w/>")]), "neither header.json", False),
    "4 GiB member": (zip_of([HEAD, replace(GOOD, claimed=4 * GIB - 2)]), "4,294,967,294", True),
    "bomb": (zip_of([HEAD, replace(raw(bytes(1 << 20)), claimed=9)]), "not what the log's", True),
    "encrypted": (zip_of([HEAD, replace(GOOD, flags=1)]), "is encrypted", True),
    "bad checksum": (zip_of([HEAD, replace(GOOD, crc=1)]), "not what the log's directory", True),
    "other method": (zip_of([HEAD, replace(GOOD, method=BZIP2)]), "a method this version", True),
    "newer zip": (zip_of([HEAD, replace(GOOD, version=99)]), "unreadable", False),
    "sharing bytes": (zip_of([HEAD, replace(HEAD, name="b")], share=True), "overlap", False),
    "bad zstandard": (
        zip_of([HEAD, replace(GOOD, method=ZSTANDARD, packed=b"\xff" * 40)]), "damaged", True
    ),
    "not UTF-8": (zip_of([HEAD, raw(b'{"id":"\xff","epoch":1}')]), "is no Inspect log", True),
    "lone surrogate": (zip_of([HEAD, raw(b'{"id":"\\ud800","epoch":1}')]), "no Inspect", True),
    "deep nesting": (zip_of([HEAD, raw(b"[" * 200_000)]), "is no Inspect log", True),
    "cut off": (zip_of([HEAD, raw(b'{"id":"a","epoch":1,"mes')]), "is no Inspect log", True),
    "no id": (zip_of([HEAD, member(NAME, {"epoch": 1})]), "is no Inspect log", True),
    "an id twice": (
        zip_of([HEAD, GOOD, member("samples/other.json", SAMPLE)]), "'a' of epoch 1 twice", True
    ),
    "bad score": (
        zip_of([HEAD, member(NAME, {**SAMPLE, "scores": ["C"]})]), "is no Inspect log", True
    ),
    "a piece too few": (
        zip_of([
            HEAD,
            member("samples/a_epoch_1/sample.json", {**SAMPLE, "message_refs": [[0, 1]]}),
            member("samples/a_epoch_1/messages/5.json", []),
        ]),
        "lacks a piece", False,
    ),
    "a message too many": (
        zip_of([
            HEAD,
            member("samples/a_epoch_1/sample.json", {**SAMPLE, "message_refs": [[0, 9]]}),
            member("samples/a_epoch_1/messages/0.json", []),
        ]),
        "messages that it has not", False,
    ),
}  # fmt: skip
JSONS: dict[str, tuple[bytes, str, str]] = {
    # what: (the file, words of the refusal, the place it names)
    "wrong version": (plain(version=99), "is a log of version 99", ""),
    "no version of any log": (plain(version=0), "is a log of version 0", ""),
    "no model": (plain(eval={"task": "t"}), "is no Inspect log", ""),
    "cut off": (plain()[:-30], "is no Inspect log", ""),
    "something after it": (plain() + b"{}", "is no Inspect log", ""),
    "not UTF-8": (plain().replace(b"Hi", b"\xff"), "is no Inspect log", ":samples[0]"),
    "deep nesting": (plain()[:-1] + b',"x":' + b"[" * 200_000, "is no Inspect log", ""),
    "an id twice": (plain(samples=[SAMPLE, SAMPLE]), "'a' of epoch 1 twice", ":samples[1]"),
    "no epoch": (plain(samples=[SAMPLE, {"id": "b"}]), "is no Inspect log", ":samples[1]"),
    "bad role": (
        plain(samples=[{**SAMPLE, "messages": [{"role": 5}]}]), "is no Inspect log", ":samples[0]"
    ),
}  # fmt: skip


def refused(path: Path, words: str) -> InputError:
    before = path.read_bytes()
    with pytest.raises(InputError, match=words) as caught:
        summary_of(path)
    shown(caught.value)
    assert str(path) in (caught.value.where or "")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    return caught.value


@pytest.mark.parametrize("what", ZIPS)
def test_broken_zips(what: str, write: Write) -> None:
    data, words, sample = ZIPS[what]
    error = refused(write(data, "log.eval"), words)
    assert not sample or ":samples/" in (error.where or ""), error.where


@pytest.mark.parametrize("what", JSONS)
def test_broken_json_logs(what: str, write: Write) -> None:
    data, words, place = JSONS[what]
    error = refused(write(data, "log.json"), words)
    assert (error.where or "").endswith(f"log.json{place}")


@pytest.mark.parametrize("method", [STORED, DEFLATED, ZSTANDARD])
def test_a_log_cut_off_anywhere_is_refused(method: int, write: Write) -> None:
    whole = zip_of([member("header.json", HEADER, method), member(NAME, SAMPLE, method)])
    for length in range(4, len(whole), 7):
        refused(write(whole[:length], "log.eval"), "truncated|damaged|is no Inspect log")


def test_names_of_members_are_never_opened(write: Write, tmp_path: Path) -> None:
    names = ("samples/../../../etc/x.json", "samples//abs.json", "samples/\x00\n\x1b[2J.json")
    members = [member(name, {**SAMPLE, "id": name}) for name in names]
    run = run_of(write(zip_of([HEAD, *members]), "log.eval"))
    assert [sample.item for sample in run.samples()] == list(names)
    assert [path.name for path in tmp_path.iterdir()] == ["log.eval"]


# Odd, and no fault


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_bare_nan_is_an_unparsed_score(word: str, write: Write) -> None:
    sample = json.dumps(scored(total_time=0.5)).replace('"C"', word).replace("0.5", word)
    other = sample.replace('"id": "a"', '"id": "b"')
    both = plain(samples=[]).replace(b"[]", f"[{sample} , {other}]".encode())
    for data, name in ((zip_of([HEAD, raw(sample.encode())]), "log.eval"), (both, "log.json")):
        found = summary_of(write(data, name))
        assert found.scores["match"].unparsed == found.submitted
        assert found.scores["match"].mean is None
        first = next(iter(run_of(write(data, name)).samples()))
        assert first.scores[0].raw == word
        assert first.digest is not None


def test_old_forms_are_read(write: Write) -> None:
    sample = {
        "id": 1, "epoch": 1, "input": "?", "target": ["x", "y"],
        "messages": [{"role": "assistant", "content": "tc://"}], "output": {"choices": []},
        "score": {"value": "I", "answer": "n"}, "metadata": {},
        "transcript": {"events": [{"event": "tool", "function": "f", "arguments": {}}],
                       "content": {"12": "kept aside"}},
    }  # fmt: skip
    sample["messages"] = [{"role": "assistant", "content": "attachment://12"}]
    data = plain(
        version=1,
        results={"scorer": {"name": "model_graded_fact"}, "metrics": {}},
        eval={
            **HEADER["eval"],
            "config": {"max_messages": 7, "limit": 20},
            "sandbox": ["docker", "c"],
        },
        samples=[sample],
    )
    run = run_of(write(data, "log.json"))
    (found,) = run.samples()
    assert found.scores[0].scorer == "model_graded_fact"
    assert found.messages[0].text == "kept aside"
    assert found.target == "x\ny"
    assert found.trajectory is not None
    assert found.trajectory.tool_calls == 1
    assert run.settings is not None
    assert run.settings["eval.message_limit"] == 7
    assert run.settings["sandbox.config"] == "c"


def test_a_sample_in_pieces_is_the_sample(write: Write) -> None:
    folder = "samples/a_epoch_1"
    message = {"role": "assistant", "content": "attachment://0"}
    data = zip_of(
        [
            member("header.json", {**HEADER, "version": 3}, ZSTANDARD),
            member(f"{folder}/sample.json", scored(messages=None or [], message_refs=[[1, 3]])),
            member(f"{folder}/metadata.json", {"topic": "x"}),
            member(f"{folder}/skeleton.json", {}),
            member(f"{folder}/events/stats.json", {}),
            member(f"{folder}/messages/0.json", [{"role": "user", "content": "no"}] * 2),
            member(f"{folder}/messages/2.json", [message]),
            member(f"{folder}/events/0.json", [{"event": "tool", "function": "f"}]),
            member(f"{folder}/attachments/0.json", ["a long text"]),
        ]
    )
    (found,) = run_of(write(data, "log.eval")).samples()
    assert [one.text for one in found.messages] == ["no", "a long text"]
    assert found.metadata == {"topic": "x"}
    assert found.digest is None
    assert found.scores[0].value == 1.0
    assert found.trajectory is not None


def test_a_journal_has_its_settings_changed_during_the_run(write: Write) -> None:
    change = {"config": "generate", "name": "max_tokens", "value": 9}
    update = {"changes": [change], "provenance": {"author": "op", "reason": "too long"}}
    lines = [{"id": "a", "epoch": 1, "scores": {"match": {"value": "P"}}}]
    data = zip_of(
        [
            member("_journal/start.json", {**HEADER, "plan": {"config": {"max_tokens": 5}}}),
            member(NAME, scored()),
            member("_journal/summaries/1.json", lines),
            member(
                "_journal/summaries/2.json", [{**lines[0], "scores": {"match": {"value": "C"}}}]
            ),
            member("_journal/config_updates/1.json", update),
        ]
    )
    path = write(data, "log.eval")
    run = run_of(path)
    assert run.status == "started"
    assert run.settings is not None
    assert run.settings["generate.max_tokens"] == 9
    assert run.settings["changed.1.by"] == "op"
    assert list(columns(path).scores["match"]) == [1.0]


def test_a_member_written_again_replaces_the_first(write: Write) -> None:
    later = member(NAME, scored(scores={"match": {"value": "I"}}))
    path = write(zip_of([HEAD, member(NAME, scored()), later]), "log.eval")
    assert [score.value for one in run_of(path).samples() for score in one.scores] == [0.0]
    assert "1 parts of the file were replaced" in run_of(path).notes[0]


def test_a_shape_that_is_not_known_is_put_to_inspect(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(plain(version=99), "log.json")
    asked: list[Path | None] = []

    def by_inspect(unknown: UnknownShape, path: Path | None, data: bytes = b"") -> bytes:
        asked.append(path)
        return plain()

    monkeypatch.setattr(log_module, "_by_inspect", by_inspect)
    assert len(list(run_of(path).samples())) == 1
    assert asked == [path]


def test_inspect_itself_reads_a_sample_that_we_do_not(write: Write) -> None:
    # Inspect takes a number in quotes for a number; so must we, if it is there.
    sample = {**SAMPLE, "epoch": "1", "input": "?", "target": "x", "output": {"choices": []}}
    (found,) = run_of(write(zip_of([HEAD, member(NAME, sample)]), "log.eval")).samples()
    assert found.epoch == 1


def test_a_file_that_changes_while_it_is_read_is_checked_again(write: Write) -> None:
    path = write(zip_of([HEAD, GOOD]), "log.eval")
    run = run_of(path)
    path.write_bytes(zip_of([HEAD, replace(GOOD, claimed=4 * GIB - 2)]))
    with pytest.raises(InputError, match="declares a member"):
        list(run.samples())


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("form", ["eval", "json"])
@given(data=st.data())
def test_bent_logs_are_read_or_refused(form: str, tmp_path: Path, data: st.DataObject) -> None:
    whole = zip_of([HEAD, member(NAME, scored())]) if form == "eval" else plain()
    path = tmp_path / f"a.{form}"
    path.write_bytes(data.draw(bent(whole)))
    try:
        summary_of(path)
        columns(path)
    except InputError as error:
        shown(error)


def test_the_columns_of_a_log_without_lines_come_from_its_samples(
    write: Write, tmp_path: Path
) -> None:
    path = write(plain(samples=[scored(), {**SAMPLE, "id": "b"}]), "log.json")
    found = columns(path)
    assert found.item == ["a", "b"]
    assert found.scores["match"][0] == 1.0
    assert found.scores["match"][1] != found.scores["match"][1]  # nan
    shutil.rmtree(tmp_path)
