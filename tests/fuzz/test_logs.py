# SPDX-License-Identifier: Apache-2.0
"""A bent Inspect log, in its zip or its JSON, is read, or refused by an error of ours."""

from pathlib import Path

import pytest
from exercise_zip import DEFLATED, STORED, ZSTANDARD, Member, honest, zip_of
from fuzzing import bent, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countermark.exercise.logs import read_log
from countermark.exercise.reading.detect import read_runs
from countermark.exercise.reading.inspect_log import columns
from countermark.exercise.reading.summary import summarise
from countermark.records.errors import InputError


@settings(
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("method", [STORED, DEFLATED, ZSTANDARD])
@given(data=st.data())
def test_bent_logs(method: int, tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.eval"
    path.write_bytes(data.draw(bent(zip_of(honest(method)))))
    for read in (read_log, columns, lambda path: [summarise(run) for run in read_runs(path)]):
        try:
            read(path)
        except InputError as error:
            shown(error)


@pytest.mark.parametrize("value", [b"[" * 100_000, b'"\xff"', b'"\\ud800"'])
def test_json_that_no_reader_should_see_is_refused(value: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"status":"success","eval":{"task":"t","model":"m","metadata":{"a":' + value)
    with pytest.raises(InputError, match="is no Inspect log") as caught:
        read_log(path)
    shown(caught.value)


def test_a_member_that_runs_over_the_end_is_refused_though_nobody_reads_it(tmp_path: Path) -> None:
    data = bytearray(zip_of([*honest(), Member("journal/summary", b"short", STORED)]))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 20 : entry + 24] = (1 << 24).to_bytes(4, "little")  # the packed size
    path = tmp_path / "a.eval"
    path.write_bytes(data)
    with pytest.raises(InputError, match="is truncated"):
        read_log(path)
