# SPDX-License-Identifier: Apache-2.0
"""One piece of work of ``benchmarks/reading.py``, in a process of its own; prints JSON.

python benchmarks/reading_logs/work.py columns|evidence|floor|peer FOLDER
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

HEADER = 30  # bytes before a member's name


def _columns() -> Callable[[list[Path]], int]:
    from countermark.exercise.reading.inspect_log import columns  # noqa: PLC0415

    def work(paths: list[Path]) -> int:
        kept = [columns(path) for path in paths]
        return sum(len(one.item) for one in kept)

    return work


def _evidence() -> Callable[[list[Path]], int]:
    from countermark.exercise.reading.inspect_log import read  # noqa: PLC0415

    def work(paths: list[Path]) -> int:
        runs = (run for path in paths for run in read(path))
        return sum(sample.digest is not None for run in runs for sample in run.samples())

    return work


def _floor() -> Callable[[list[Path]], int]:
    """Do what no pass can leave out, with nothing around it: unpack, check, hash and scan."""
    import hashlib  # noqa: PLC0415
    import zipfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    import msgspec  # noqa: PLC0415
    import zstandard  # noqa: PLC0415

    class Key(msgspec.Struct):
        id: str
        epoch: int

    scan, unzstd = msgspec.json.Decoder(Key).decode, zstandard.ZstdDecompressor().decompress

    def work(paths: list[Path]) -> int:
        count = 0
        for path in paths:
            data = path.read_bytes()
            with zipfile.ZipFile(path) as log:
                members = [one for one in log.infolist() if one.filename.startswith("samples/")]
            for one in members:
                start = one.header_offset + HEADER + len(one.filename)
                packed, size = data[start : start + one.compress_size], one.file_size
                if one.compress_type == zipfile.ZIP_DEFLATED:
                    contents = zlib.decompress(packed, -zlib.MAX_WBITS, size)
                else:
                    contents = unzstd(packed, max_output_size=size)
                zlib.crc32(contents)
                hashlib.sha256(contents).hexdigest()
                scan(contents)
                count += 1
        return count

    return work


def _peer() -> Callable[[list[Path]], int]:
    from inspect_ai.analysis import samples_df  # noqa: PLC0415

    return lambda paths: len(samples_df([str(path) for path in paths], quiet=True))


WORK: dict[str, Callable[[], Callable[[list[Path]], int]]] = {
    "columns": _columns,
    "evidence": _evidence,
    "floor": _floor,
    "peer": _peer,
}


def main() -> None:
    work = WORK[sys.argv[1]]()
    paths = sorted(Path(sys.argv[2]).glob("*.eval"))
    before = time.process_time()
    samples = work(paths)
    seconds = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "samples": samples}))


if __name__ == "__main__":
    main()
