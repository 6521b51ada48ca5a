# SPDX-License-Identifier: Apache-2.0
"""A bent Inspect log, in its zip or its JSON, is read, or refused by an error of ours."""

from pathlib import Path

import pytest
from exercise_zip import DEFLATED, STORED, ZSTANDARD, honest, zip_of
from fuzzing import bent, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countermark.exercise.logs import read_log
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
    try:
        read_log(path)
    except InputError as error:
        shown(error)
