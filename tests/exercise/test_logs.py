# SPDX-License-Identifier: Apache-2.0
import functools
import json
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from exercise_small import cell_run, scripted_log
from exercise_zip import (
    BZIP2,
    DEFLATED,
    HEADER,
    SAMPLE,
    STORED,
    ZSTANDARD,
    Member,
    honest,
    member,
    pack,
    zip_of,
)
from scripted import log_value

from countermark.exercise.logs import read_log
from countermark.exercise.reading import archive
from countermark.exercise.reading.inspect_log.shapes import LogMessage, LogPart, LogSample
from countermark.records.errors import InputError

MIB = 1024 * 1024
FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures" / "inspect"
Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(data: bytes) -> Path:
        path = tmp_path / "log.eval"
        path.write_bytes(data)
        return path

    return to_file


@functools.cache
def zeros(method: int) -> bytes:
    return pack(bytes(200 * MIB), method)


def refusal(path: Path, text: str, most: int = 16 * MIB) -> InputError:
    """Return why a log is refused; reading it may not have taken more than ``most`` bytes."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=text) as caught:
            read_log(path)
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    assert str(path) in (caught.value.where or "")
    assert caught.value.next_step
    return caught.value


def test_both_forms_of_one_log_say_the_same(tmp_path: Path) -> None:
    run = cell_run()
    zipped = read_log(scripted_log(tmp_path / "log.eval", run))
    header, samples = log_value(run, "countermark/smollm2")
    plain = tmp_path / "log.json"
    plain.write_text(json.dumps({**header, "samples": samples}))
    read = read_log(plain)
    assert zipped.header.status == read.header.status == "success"
    assert zipped.header.eval == read.header.eval
    assert zipped.header.plan == read.header.plan
    assert zipped.header.stats == read.header.stats
    assert len(zipped.samples) == 8
    assert {(s.id, s.epoch): s for s in zipped.samples} == {
        (s.id, s.epoch): s for s in read.samples
    }


@pytest.mark.parametrize("method", [STORED, DEFLATED, ZSTANDARD])
def test_rule_3_stored_deflate_and_zstandard_members_are_read(write: Write, method: int) -> None:
    log = read_log(write(zip_of(honest(method))))
    assert log.header.eval.model == "m"
    assert [(sample.id, sample.epoch) for sample in log.samples] == [("a", 1)]
    assert log.samples[0].text(log.samples[0].messages[0]) == "Hi"


def test_rule_3_a_zstandard_member_of_several_frames_is_read_to_its_end(write: Write) -> None:
    whole = honest(ZSTANDARD)
    contents = whole[1].contents
    frames = b"".join(pack(part, ZSTANDARD) for part in (contents[:10], contents[10:]))
    log = read_log(write(zip_of([whole[0], replace(whole[1], packed=frames)])))
    assert log.samples[0].id == "a"


def test_rule_3_other_methods_are_refused(write: Write) -> None:
    bad = replace(honest()[0], method=BZIP2, packed=b"BZh9")
    refusal(write(zip_of([bad])), "method this version does not read")


def test_rule_3_an_encrypted_member_is_refused(write: Write) -> None:
    header, sample = honest()
    refusal(write(zip_of([header, replace(sample, flags=1)])), "encrypted")


@pytest.mark.parametrize("method", [DEFLATED, ZSTANDARD])
@pytest.mark.parametrize("claimed", [2, 200])
def test_rule_3_no_more_comes_out_than_was_declared(
    write: Write, method: int, claimed: int
) -> None:
    bomb = Member("header.json", packed=zeros(method), method=method, claimed=claimed)
    refusal(write(zip_of([bomb])), "not what the log's directory says")


def test_rule_3_what_comes_out_is_what_was_declared(write: Write) -> None:
    header, sample = honest()
    for lie in (replace(sample, claimed=5000), replace(sample, crc=1)):
        refusal(write(zip_of([header, lie])), "not what the log's directory says")


@pytest.mark.parametrize("method", [DEFLATED, ZSTANDARD])
def test_rule_3_damaged_contents_are_refused(write: Write, method: int) -> None:
    header, sample = honest(method)
    junk = replace(sample, packed=b"\xff" * 40)
    refusal(write(zip_of([header, junk])), "is damaged")


def test_rule_1_a_member_of_200_mb_is_refused_unread(write: Write) -> None:
    bomb = Member("samples/b_epoch_1.json", packed=zeros(DEFLATED), claimed=200 * MIB)
    data = zip_of([*honest(), bomb])
    assert len(data) < MIB
    refusal(write(data), "209,715,200 bytes")


def test_rule_1_a_bomb_of_many_members_is_refused_unread(write: Write) -> None:
    full = pack(bytes(MIB), DEFLATED)
    members = [
        Member(f"samples/{n}_epoch_1.json", packed=full, claimed=archive.MAX_MEMBER_BYTES)
        for n in range(65)
    ]
    refusal(write(zip_of([*honest(), *members])), "bytes unpacked", most=32 * MIB)


def test_rule_1_too_many_members_are_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 500)
    members = [Member(f"samples/{n}", method=STORED) for n in range(499)]
    assert len(read_log(write(zip_of(honest()))).samples) == 1
    refusal(write(zip_of([*honest(), *members])), "501 members; at most 500")


def test_rule_1_the_limits_hold_what_real_runs_write() -> None:
    assert archive.MAX_MEMBERS >= 2_000_000
    assert 16 * MIB <= archive.MAX_MEMBER_BYTES <= 128 * MIB


def test_rule_2_members_that_share_bytes_are_refused(write: Write) -> None:
    kernel = pack(bytes(8 * MIB), DEFLATED)
    members = [Member(f"samples/{n}", packed=kernel, claimed=8 * MIB) for n in "abcdefgh"]
    refusal(write(zip_of(members, share=True)), "overlap")


def test_rule_2_a_member_inside_another_is_refused(write: Write) -> None:
    header, sample = honest()
    inner = zip_of([sample])[: -22 - 46 - len(sample.name)]
    outer = Member("samples/outer", inner, STORED)
    data = bytearray(zip_of([header, outer, sample]))
    where = data.rindex(b"PK\x01\x02") + 42
    offset = data.index(inner)
    data[where : where + 4] = offset.to_bytes(4, "little")
    refusal(write(bytes(data)), "overlap")


def test_rule_4_names_are_only_names(write: Write, tmp_path: Path) -> None:
    names = ("samples/../../escaped.json", "samples//etc/passwd", "../outside.json")
    members = [member(name, {**SAMPLE, "id": name}) for name in names]
    log = read_log(write(zip_of([*honest(), *members])))
    assert {sample.id for sample in log.samples} == {"a", names[0]}
    assert [path.name for path in tmp_path.iterdir()] == ["log.eval"]


@pytest.mark.parametrize("few", [1, 100_000])
def test_rule_5_of_members_with_one_name_the_last_counts(
    write: Write, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(archive, "_FEW", few)  # names are compared in as many parts as it takes
    header, sample = honest()
    again = member(sample.name, {**SAMPLE, "messages": [{"role": "user", "content": "Later"}]})
    other = member("samples/b_epoch_1.json", {**SAMPLE, "id": "b"})
    log = read_log(write(zip_of([header, sample, other, again])))
    assert [one.id for one in log.samples] == ["a", "b"]
    assert log.samples[0].messages[0].content == "Later"


def test_a_log_without_a_header_and_a_journal_is_refused(write: Write) -> None:
    refusal(write(zip_of(honest()[1:])), "neither header.json nor _journal/start.json")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_log_is_refused(write: Write, tmp_path: Path, share: float) -> None:
    data = scripted_log(tmp_path / "whole.eval", cell_run()).read_bytes()
    refusal(write(data[: int(len(data) * share)]), "truncated or damaged")


def test_a_wrong_file_is_refused(write: Write, tmp_path: Path) -> None:
    refusal(write(b"%PDF-1.7"), "does not start as a zip does")
    refusal(write(b""), "does not start as a zip does")
    refusal(write(zip_of([Member("word/document.xml", b"<w/>")])), "neither header.json")
    wrong = tmp_path / "other.json"
    for data in (b"", b"[]", b"{}", b'{"status": 1}', b"{", b"\xff\xfe", b"[" * 100_000, b"nul"):
        wrong.write_bytes(data)
        refusal(wrong, "is no Inspect log")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    refusal(tmp_path / "absent.eval", "cannot be read")
    refusal(tmp_path, "cannot be read")


@pytest.mark.parametrize(
    "contents", [b"", b"junk", b"[]", b'{"id": "a"}', b'{"id": "a", "epoch": "1"}', b"[" * 100_000]
)
def test_a_member_that_is_no_sample_is_refused_by_its_name(write: Write, contents: bytes) -> None:
    data = zip_of([honest()[0], Member("samples/x.json", contents)])
    # What looks like a sample is put to Inspect too, whose import takes memory of its own.
    found = refusal(write(data), "no Inspect", most=512 * MIB)
    assert (found.where or "").endswith("log.eval:samples/x.json")


def test_a_zip_of_a_newer_version_is_refused(write: Write) -> None:
    header, sample = honest()
    refusal(write(zip_of([header, replace(sample, version=99)])), "truncated or damaged")


def test_whatever_byte_is_changed_the_log_is_read_or_refused(write: Write, tmp_path: Path) -> None:
    data = scripted_log(tmp_path / "whole.eval", cell_run()).read_bytes()
    draw = random.Random(20261101)  # noqa: S311  which bytes is no secret
    refused = 0
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(draw.choice((1, 1, 4))):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        try:
            read_log(write(bytes(changed)))
        except InputError:
            refused += 1
    assert refused > 200


def test_old_attachment_references_are_put_back() -> None:
    text = "a long text that an old Inspect put aside"
    sample = LogSample(
        id="a",
        epoch=1,
        messages=[
            LogMessage(role="user", content="attachment://12ab"),
            LogMessage(role="user", content="attachment://lost"),
            LogMessage(
                role="user",
                content=[
                    LogPart(type="text", text="attachment://12ab"),
                    LogPart(type="image"),
                    LogPart(type="text", text="end"),
                    LogPart(type="reasoning"),
                ],
            ),
            LogMessage(role="user", content=""),
        ],
        attachments={"12ab": text},
    )
    assert [sample.text(message) for message in sample.messages] == [
        text,
        "attachment://lost",
        f"{text}\nend",
        "",
    ]


def test_unknown_fields_of_newer_logs_are_passed_over(write: Write) -> None:
    header = {**HEADER, "invalidated": False, "eval": {**HEADER["eval"], "eval_set_id": None}}
    sample = {**SAMPLE, "events": [{"event": "model"}], "uuid": "x", "scores": None, "error": None}
    log = read_log(
        write(zip_of([member("header.json", header), member("samples/a_epoch_1.json", sample)]))
    )
    assert log.samples[0].scores is None


@pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="no folder of files by real systems beside the project root"
)
def test_files_that_real_inspects_wrote_are_read() -> None:
    paths = sorted(path for path in FIXTURES.iterdir() if path.suffix in {".eval", ".json"})
    assert paths
    for path in paths:
        log = read_log(path)
        assert log.header.status == "success"
        assert log.header.eval.model
        for sample in log.samples:
            texts = [sample.text(message) for message in sample.messages]
            assert any(texts)
            assert not any(text.startswith("attachment://") for text in texts)
    by_name = {path.name: read_log(path) for path in paths}
    if {"formats.eval", "formats.json"} <= by_name.keys():
        zipped, plain = by_name["formats.eval"], by_name["formats.json"]
        ids = zipped.header.eval.dataset.sample_ids  # only the zip of the two has them
        dataset = msgspec.structs.replace(plain.header.eval.dataset, sample_ids=ids)
        assert zipped.header.eval == msgspec.structs.replace(plain.header.eval, dataset=dataset)
        assert [s.messages for s in zipped.samples] == [s.messages for s in plain.samples]


def test_rule_1_the_lines_of_a_very_long_log_may_be_too_long_to_read(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = member("summaries.json", [{"id": "a", "epoch": 1, "input": "x" * 9000}])
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 9000)
    assert len(read_log(write(zip_of([*honest(), lines]))).samples) == 1
    refusal(write(zip_of([*honest(), replace(lines, name="other.json")])), "declares a member")


def test_reading_a_log_loads_neither_pydantic_nor_numpy() -> None:
    code = (
        "import sys, countermark.exercise.reading.inspect_log\n"
        "print(sorted({'pydantic', 'numpy'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"
