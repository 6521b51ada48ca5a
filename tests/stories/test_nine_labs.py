# SPDX-License-Identifier: Apache-2.0
"""Nine labs run one protocol; one has another provider, and does not say so."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
from exercise_lab import Lab, one_cell
from exercise_lies import distrusted
from exercise_small import cell_run
from scripted import log_value, write_log

from countermark.app.cli.finding_lines import shown
from countermark.exercise.comparing.configurations import configuration_of
from countermark.exercise.explaining.finding import explain
from countermark.exercise.joint.finding import joint_finding
from countermark.exercise.logs import read_log
from countermark.exercise.samples import samples_of
from countermark.records.evidence import Deviation, configurations_digest

CODES = ("AU", "CA", "EU", "FR", "GB", "JP", "KE", "KR", "SG")
PROTOCOL = one_cell().model_copy(update={"participants": CODES})
MODEL = PROTOCOL.models[0]
ELSEWHERE = "KR"


def lab_of(folder: Path, code: str) -> Lab:
    """Return a lab that seals and reveals what its own log says."""
    run = cell_run(PROTOCOL, PROTOCOL.tasks[0].key, "en", f"{code}-simulated")
    header, samples = copy.deepcopy(log_value(run, str(MODEL.provider)))
    host = "openrouter.ai/api" if code == ELSEWHERE else "api.openai.com"
    header["eval"] |= {"model_base_url": f"https://{host}/v1", "eval_id": f"run-of-{code}"}
    log = read_log(write_log(folder / f"{code}.eval", header, samples))
    told = (configuration_of(log, run, MODEL.key),)
    return Lab(
        PROTOCOL,
        samples_of(run, MODEL.key, log),
        lab=run.lab,
        author=code,
        seal={"configurations": configurations_digest(told)},
        evidence={"configurations": told},
    )


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lab]:
    folder = tmp_path_factory.mktemp("logs")
    return {code: lab_of(folder, code) for code in CODES}


def test_the_lab_with_another_route_is_left_out_and_named(labs: dict[str, Lab]) -> None:
    found = joint_finding(PROTOCOL, [lab.reveal() for lab in labs.values()], ())
    assert len(found.labs) == 8
    (out,) = found.left_out
    assert (out.institute, out.because) == (ELSEWHERE, "not-comparable")
    assert out.reason == "it ran with another model.route, and did not say so"
    assert found.comparability is not None
    route = next(row for row in found.comparability if row.name == "model.route")
    assert {one.lab: one.value for one in route.values if one.status == "undeclared"} == {
        "KR-simulated": '"countermark at openrouter.ai"'
    }
    assert [row.name for row in found.comparability if row.status == "undeclared"] == [
        "model.route"
    ]
    said = " ".join(sentence for section in explain(found) for sentence in section.sentences)
    assert "KR-simulated ran with another model.route and did not say so" in said
    assert "    ✕ KR-simulated: countermark at openrouter.ai" in list(shown(found))

    # Had it said so, it would be pooled, and shown.
    declared = Deviation(reason="another contract", differences=(), settings=("model.route",))
    honest = replace(
        labs[ELSEWHERE], evidence={**labs[ELSEWHERE].evidence, "deviations": (declared,)}
    )
    all_nine = joint_finding(
        PROTOCOL, [lab.reveal() for lab in (*labs.values(), honest) if lab != labs[ELSEWHERE]], ()
    )
    assert (len(all_nine.labs), all_nine.left_out) == (9, ())


def test_no_lab_can_change_its_account_after_it_sealed(labs: dict[str, Lab]) -> None:
    honest = labs["GB"].evidence["configurations"]
    liar = labs[ELSEWHERE]
    distrusted(replace(liar, evidence={"configurations": honest}), 10, "not those it sealed")
    distrusted(replace(liar, evidence={"configurations": None}), 10, "not those it sealed")
    distrusted(replace(liar, seal={}), 10, "not those it sealed")
    twice = (*honest, *honest)
    distrusted(
        replace(
            liar,
            seal={"configurations": configurations_digest(twice)},
            evidence={"configurations": twice},
        ),
        10,
        "two of one",
    )
    (one,) = honest
    turned = (one.model_copy(update={"settings": one.settings[::-1]}),)
    distrusted(
        replace(
            liar,
            seal={"configurations": configurations_digest(turned)},
            evidence={"configurations": turned},
        ),
        10,
        "out of order",
    )
