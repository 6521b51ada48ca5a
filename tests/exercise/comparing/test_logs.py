# SPDX-License-Identifier: Apache-2.0
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import countermark
from exercise_small import cell_run, small_protocol
from scripted import log_value, write_log

from countermark.exercise.comparing.logs import compare_logs, compare_with
from countermark.records.errors import InputError

PROTOCOL = small_protocol()
Change = Callable[[dict[str, Any], list[Any]], object]


def log(
    folder: Path,
    lab: str,
    change: Change = lambda header, samples: None,
    settings: dict[str, str] | None = None,
) -> Path:
    cell = cell_run(PROTOCOL, lab=lab, settings=settings, seed=lab.encode().ljust(32, b"."))
    header, samples = copy.deepcopy(log_value(cell, str(PROTOCOL.models[0].provider)))
    change(header, samples)
    return write_log(folder / f"{lab}.eval", header, samples)


def warmer(header: dict[str, Any], samples: list[Any]) -> None:
    header["plan"]["config"]["temperature"] = 1.9


def undeclared(found: Any) -> list[str]:
    return [row.name for row in found.found.table if row.status == "undeclared"]


def test_rule_1_logs_of_the_same_run_with_secrets_of_their_own_are_comparable(
    tmp_path: Path,
) -> None:
    found = compare_logs([log(tmp_path, "GB-a"), log(tmp_path, "JP-b")])
    assert undeclared(found) == []
    names = {row.name: row.status for row in found.found.table}
    assert names["system-prompt"] == names["dataset.items"] == "same"  # rule 4
    assert list(found.files) == ["XX-run-1", "XX-run-2"]


def test_rule_1_whatever_matters_and_differs_is_shown(tmp_path: Path) -> None:
    found = compare_logs([log(tmp_path, "GB-a"), log(tmp_path, "JP-b", warmer)])
    assert undeclared(found) == ["generation.temperature"]
    assert not found.found.comparable


def test_rule_2_wordings_are_compared_over_common_items(tmp_path: Path) -> None:
    def fewer(header: dict[str, Any], samples: list[Any]) -> None:
        del samples[:2]

    def other(header: dict[str, Any], samples: list[Any]) -> None:
        for sample in samples:
            sample["messages"][-2]["content"] += "!"

    assert undeclared(compare_logs([log(tmp_path, "GB-a"), log(tmp_path, "JP-b", fewer)])) == []
    found = compare_logs([log(tmp_path, "GB-a"), log(tmp_path, "SG-c", other)])
    assert undeclared(found) == ["dataset.items"]


def test_rule_3_with_a_protocol_a_declared_factor_is_none(tmp_path: Path) -> None:
    logs = [log(tmp_path, "GB-a"), log(tmp_path, "JP-b", settings={"temperature": "t03"})]
    found = compare_with(PROTOCOL, logs)
    assert undeclared(found) == []
    status = {row.name: row.status for row in found.found.table}
    assert status["generation.temperature"] == "declared-factor"
    assert set(found.files) == {"GB-a", "JP-b"}
    lying = compare_with(PROTOCOL, [logs[0], log(tmp_path, "SG-c", warmer)])
    assert undeclared(lying) == ["generation.temperature"]
    assert [lab for lab, _ in lying.found.blocked] == ["SG-c"]


def test_rule_3_a_log_of_another_protocol_is_refused(tmp_path: Path) -> None:
    other = small_protocol(languages=("en",))
    with pytest.raises(InputError, match="the log ran protocol") as caught:
        compare_with(other, [log(tmp_path, "GB-a")])
    assert "without --protocol" in caught.value.next_step


def test_the_command_says_it_in_words_in_json_and_by_its_code(tmp_path: Path) -> None:
    alike = (log(tmp_path, "GB-a"), log(tmp_path, "JP-b"))
    assert countermark("exercise", "compare", *alike).code == 0
    other = log(tmp_path, "SG-c", warmer)
    ran = countermark("exercise", "compare", alike[0], other)
    assert ran.code == 3
    assert "✕ undeclared          generation.temperature" in ran.out
    assert "SG-c.eval: 1.9" in ran.out
    assert "Not to be pooled as they are: generation.temperature." in ran.err
    protocol = tmp_path / "protocol.json"
    protocol.write_bytes(PROTOCOL.to_bytes())
    ran = countermark("exercise", "compare", *alike, other, "--protocol", protocol, "--json")
    assert ran.code == 3
    value = json.loads(ran.out)
    assert value["comparable"] is False
    assert set(value["files"]) == {"GB-a", "JP-b", "SG-c"}
