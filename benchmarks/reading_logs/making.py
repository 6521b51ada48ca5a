# SPDX-License-Identifier: Apache-2.0
"""Logs for ``benchmarks/reading.py``: the layout of a real log, written for any number of samples.

    python benchmarks/reading_logs/making.py FOLDER LOGS SAMPLES [deflate]

Inspect runs a task with three scorers on its scripted model ``mockllm``, two samples long. The
sample, its line in ``summaries.json`` and the header of that log are then written as often as is
asked for, under new ids, packed as that log is (zstandard) or with deflate as older logs are, and
laid out as Inspect lays them out, a journal entry for every ten samples. Nothing else is
simulated, and no score means anything.
"""

import json
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, includes, match, mean, scorer
from inspect_ai.solver import TaskState, generate, system_message

FIRST = "item-0000000"
BATCH = 10


@scorer(metrics=[mean()])
def length() -> Scorer:
    """Score by the length of the answer."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=len(state.output.completion) / len(target.text), explanation="length")

    return score


def _answers() -> Iterator[ModelOutput]:
    while True:
        answer = ModelOutput.from_content("mockllm/model", "Paris, as far as I know.")
        answer.usage = ModelUsage(input_tokens=30, output_tokens=5, total_tokens=35)
        yield answer


def real_log(folder: Path) -> Path:
    """Run Inspect for one small log."""
    question = "What is the capital of France? Answer briefly, please, in one word or two."
    samples = [
        Sample(id=f"item-{number:07}", input=question, target="Paris", metadata={"topic": "towns"})
        for number in range(2)
    ]
    task = Task(
        dataset=MemoryDataset(samples),
        solver=[system_message("You are terse."), generate()],
        scorer=[match(), includes(), length()],
        name="capitals",
    )
    model = get_model("mockllm/model", custom_outputs=_answers())
    (log,) = inspect_eval(task, model=model, log_dir=str(folder), display="none")
    if log.status != "success":
        raise SystemExit(f"Inspect could not make the log: {log.error}")
    return Path(log.location.removeprefix("file://"))


class Writer:
    """Writes a zip of any length, with zip64 where it is needed."""

    def __init__(self, file: BinaryIO, method: int) -> None:
        self._file = file
        self._directory = tempfile.TemporaryFile()  # noqa: SIM115  closed when collected
        self._count = 0
        self._method = method
        self._packer = zstandard.ZstdCompressor(write_content_size=False)

    def add(self, name: str, contents: bytes) -> None:
        """Write one member."""
        packed, offset = self._packed(contents), self._file.tell()
        sizes = (zlib.crc32(contents), len(packed), len(contents))
        title = name.encode()
        common = (63, 0, self._method, 0, 0, *sizes, len(title))
        large = offset >= 0xFFFFFFFF
        extra = struct.pack("<2HQ", 1, 8, offset) if large else b""
        self._file.write(struct.pack("<4s5H3I2H", b"PK\x03\x04", *common, 0) + title + packed)
        self._directory.write(
            struct.pack(
                "<4s6H3I5H2I",
                *(b"PK\x01\x02", 63, *common, len(extra), 0, 0, 0, 0),
                0xFFFFFFFF if large else offset,
            )
            + title
            + extra
        )
        self._count += 1

    def _packed(self, contents: bytes) -> bytes:
        if self._method != zipfile.ZIP_DEFLATED:
            return self._packer.compress(contents)
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return packer.compress(contents) + packer.flush()

    def close(self) -> None:
        """Write the directory."""
        start, length = self._file.tell(), self._directory.tell()
        self._directory.seek(0)
        while part := self._directory.read(1 << 20):
            self._file.write(part)
        end, count = self._file.tell(), self._count
        self._file.write(
            struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 63, 63, 0, 0, count, count, length, start)
            + struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
            + struct.pack("<4s4H2IH", b"PK\x05\x06", *(0xFFFF,) * 4, *(0xFFFFFFFF,) * 2, 0)
        )


def copies(real: Path, folder: Path, logs: int, samples: int, *, deflate: bool) -> None:
    """Write logs of the same layout."""
    with zipfile.ZipFile(real) as source:
        place = source.getinfo(f"samples/{FIRST}_epoch_1.json")
        method = zipfile.ZIP_DEFLATED if deflate else place.compress_type
        sample = source.read(place).decode()
        header = json.loads(source.read("header.json"))
        start = json.loads(source.read("_journal/start.json"))
        (first, *_) = [
            one for one in json.loads(source.read("summaries.json")) if one["id"] == FIRST
        ]
        line = json.dumps(first, separators=(",", ":"))
    uuid = json.loads(sample)["uuid"]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(logs):
        names = [f"item-{index:07}" for index in range(samples)]
        for one in (header, start):
            one["eval"].update(eval_id=f"eval-{number}", run_id=f"run-{number}")
            one["eval"]["dataset"].update(samples=samples, sample_ids=names)
        header["results"].update(total_samples=samples, completed_samples=samples)
        with (folder / f"{number:03}.eval").open("wb") as file:
            # Inspect tells samples apart by these, so each gets its own.
            own, line_of = (one.replace(uuid, f"{number}-{FIRST}") for one in (sample, line))
            lines = [line_of.replace(FIRST, one) for one in names]
            _write(Writer(file, method), header, start, own, lines)


def _write(writer: Writer, header: Any, start: Any, sample: str, lines: list[str]) -> None:
    writer.add("_journal/start.json", json.dumps(start).encode())
    for first in range(0, len(lines), BATCH):
        for index in range(first, min(first + BATCH, len(lines))):
            name = f"item-{index:07}"
            writer.add(f"samples/{name}_epoch_1.json", sample.replace(FIRST, name).encode())
        batch = ",".join(lines[first : first + BATCH])
        writer.add(f"_journal/summaries/{first // BATCH + 1}.json", f"[{batch}]".encode())
    writer.add("summaries.json", f"[{','.join(lines)}]".encode())
    writer.add("header.json", json.dumps(header).encode())
    writer.close()


def main() -> None:
    folder, logs, samples = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as scratch:
        deflate = sys.argv[4:] == ["deflate"]
        copies(real_log(Path(scratch)), folder, logs, samples, deflate=deflate)


if __name__ == "__main__":
    main()
