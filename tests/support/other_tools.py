# SPDX-License-Identifier: Apache-2.0
"""Small files in the forms of other tools, written by hand for the tests; no tool made them."""

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared/fixtures"


def fixture(name: str) -> Path:
    """Return a file that a real tool wrote, or skip the test where there is none."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no ../shared/fixtures/{name}: files of real systems are not in the project")
    return path


def dumped(value: Any) -> bytes:
    """Return a value as a tool writes it."""
    return json.dumps(value, indent=1).encode()


def lines(*values: Any) -> bytes:
    """Return values as lines of JSON."""
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def lm_eval_sample(doc: int, score: Any, **more: Any) -> dict[str, Any]:
    """Return a sample of lm-evaluation-harness."""
    return {
        "doc_id": doc,
        "doc": {"question": f"q{doc}"},
        "target": "4",
        "arguments": {"gen_args_0": {"arg_0": f"Say {doc}", "arg_1": {"until": []}}},
        "resps": [["four"]],
        "filtered_resps": ["four"],
        "filter": "none",
        "metrics": ["exact_match"],
        "doc_hash": "d",
        "exact_match": score,
    } | more


def lm_eval_results(**more: Any) -> dict[str, Any]:
    """Return the results of lm-evaluation-harness on one task of two samples."""
    return {
        "results": {
            "sums": {"alias": "sums", "exact_match,none": 0.5, "exact_match_stderr,none": 0.5}
        },
        "group_subtasks": {"sums": []},
        "configs": {"sums": {"task": "sums", "num_fewshot": 0, "repeats": 1}},
        "versions": {"sums": 1.0},
        "n-shot": {"sums": 0},
        "n-samples": {"sums": {"original": 2, "effective": 2}},
        "config": {"model": "hf", "model_args": "pretrained=org/m,dtype=auto"},
        "date": 1768964383.5,
        "lm_eval_version": "0.4.9",
        "task_hashes": {"sums": "h"},
        "model_name": "org/m",
    } | more


def helm_run(**more: Any) -> dict[str, Any]:
    """Return the files of a HELM run of two instances, one of which is right."""
    adapter = {"method": "generation", "model": "org/m", "max_eval_instances": 2}
    return {
        "run_spec.json": {
            "name": "sums:model=org_m",
            "scenario_spec": {"class_name": "S"},
            "adapter_spec": adapter,
        },
        "scenario_state.json": {
            "adapter_spec": adapter,
            "request_states": [helm_request("id1"), helm_request("id2")],
        },
        "per_instance_stats.json": [helm_stats("id1", 1.0), helm_stats("id2", 0.0)],
        "stats.json": [helm_stat("exact_match", 0.5), helm_stat("num_bytes", 3.0)],
        "scenario.json": {"name": "sums", "tags": []},
    } | more


def helm_stat(metric: str, mean: Any, split: str = "test", **more: Any) -> dict[str, Any]:
    """Return one statistic of HELM."""
    name = {"name": metric, "split": split, **more}
    return {"name": name, "count": 1, "sum_squared": 0.0, "mean": mean}


def helm_stats(instance: str, score: Any, trial: int = 0, **more: Any) -> dict[str, Any]:
    """Return the statistics of one instance."""
    perturbation = {"perturbation": more["perturbation"]} if "perturbation" in more else {}
    return {
        "instance_id": instance,
        "train_trial_index": trial,
        "stats": [
            helm_stat("exact_match", score, **perturbation),
            helm_stat("num_prompt_tokens", 7.0, **perturbation),
        ],
    } | more


def helm_request(instance: str, text: Any = " 4", trial: int = 0, **more: Any) -> dict[str, Any]:
    """Return one request about one instance."""
    return {
        "instance": {
            "input": {"text": "2+2"},
            "references": [{"output": {"text": "4"}, "tags": ["correct"]}],
            "split": "test",
            "id": instance,
        },
        "train_trial_index": trial,
        "request": {"model": "org/m", "prompt": "Q: 2+2"},
        "result": {"success": True, "completions": [{"text": text}], "request_datetime": 1762},
    } | more


def moonshot_data(*pairs: tuple[Any, Any]) -> list[dict[str, Any]]:
    """Return the data of a Moonshot result: predictions with their targets."""
    return [
        {"prompt": f"p{n}", "predicted_result": given, "target": right, "duration": 0.5}
        for n, (given, right) in enumerate(pairs)
    ]


def moonshot_detail(metrics: dict[str, Any], *pairs: tuple[Any, Any], **more: Any) -> Any:
    """Return one result of a recipe."""
    return {
        "model_id": "m",
        "dataset_id": "d",
        "prompt_template_id": "t",
        "data": moonshot_data(*pairs),
        "metrics": [metrics],
    } | more


def moonshot_result(*details: Any, **summary: Any) -> dict[str, Any]:
    """Return a recipe result of Moonshot."""
    recipe = {
        "id": "r",
        "details": list(details),
        "evaluation_summary": [{"model_id": "m", "num_of_prompts": 2} | summary],
    }
    return {
        "metadata": {
            "id": "x", "start_time": "20240509-135649", "status": "completed",
            "recipes": ["r"], "cookbooks": None, "endpoints": ["m"], "random_seed": 2,
        },
        "results": {"recipes": [recipe]},
    }  # fmt: skip


def moonshot_integration(*prompts: dict[str, Any], rate: float = 50.0) -> dict[str, Any]:
    """Return a result of Moonshot for continuous integration."""
    return {
        "run_metadata": {"run_id": "x", "start_time": "2026-06-16 03:20:12"},
        "run_results": [
            {
                "metadata": {
                    "test_name": "n", "dataset": "d", "metric": {"name": "refusal"},
                    "type": "benchmark", "connector": {"model": "m", "params": {"temperature": 0}},
                },
                "results": {
                    "individual_results": {"refuse": list(prompts[:1]), "other": list(prompts[1:])},
                    "evaluation_summary": {"refusal": {"attack_success_rate": rate}},
                },
            }
        ],
    }  # fmt: skip


def moonshot_prompt(place: int, verdict: Any, **more: Any) -> dict[str, Any]:
    """Return one prompt of that form."""
    return {
        "prompt_id": place,
        "prompt": f"p{place}",
        "predicted_result": {"response": "No.", "context": []},
        "target": "refuse",
        "evaluated_result": {"attack_success": verdict, "evaluated_response": "refuse"},
        "state": "completed",
    } | more


def garak_attempt(order: int, *scores: Any, **more: Any) -> dict[str, Any]:
    """Return an attempt of garak that its detector has judged."""
    return {
        "entry_type": "attempt",
        "uuid": f"{order:08d}-0000",
        "seq": order,
        "status": 2,
        "probe_classname": "test.Test",
        "prompt": {"turns": [{"role": "user", "content": {"text": "hi", "lang": "en"}}]},
        "outputs": [{"text": "no", "lang": "en"} for _ in scores],
        "detector_results": {"d.D": list(scores)},
        "notes": {},
        "goal": "g",
    } | more


def garak_report(*attempts: dict[str, Any], **more: Any) -> bytes:
    """Return a report of garak."""
    return lines(
        {
            "entry_type": "start_run setup", "_config.version": "0.14.0", "run.target_lang": "en",
            "plugins.target_type": "openai", "plugins.target_name": "m",
            "run.eval_threshold": 0.5,
        },
        {"entry_type": "init", "garak_version": "0.14.0", "start_time": "2025-08-28T14:07:00"},
        *attempts,
        {
            "entry_type": "eval", "probe": "test.Test", "detector": "d.D", "passed": 1,
            "total_evaluated": 2, "nones": 0, "total_processed": 2,
        } | more,
        {"entry_type": "completion"},
    )  # fmt: skip


def eee_record(**more: Any) -> dict[str, Any]:
    """Return a record of Every Eval Ever of one metric."""
    return {
        "schema_version": "0.3.0",
        "evaluation_id": "s/m/1",
        "retrieved_timestamp": "1",
        "model_info": {"name": "m", "id": "org/m"},
        "evaluation_results": [
            {
                "evaluation_result_id": "sums/accuracy",
                "evaluation_name": "sums",
                "metric_config": {"metric_name": "accuracy", "lower_is_better": False},
                "score_details": {"score": 0.5},
            }
        ],
    } | more


def eee_row(sample: str, score: Any, **more: Any) -> dict[str, Any]:
    """Return a row of one sample."""
    return {
        "schema_version": "0.3.0",
        "evaluation_id": "s/m/1",
        "model_id": "org/m",
        "evaluation_name": "sums",
        "evaluation_result_id": "sums/accuracy",
        "sample_id": sample,
        "interaction_type": "single_turn",
        "input": {"raw": "2+2", "reference": ["4"]},
        "output": {"raw": ["4"]},
        "answer_attribution": [],
        "evaluation": {"score": score, "is_correct": True},
    } | more


TABLE = b"model,task,language,item,outcome,answer,score\nm,t,fr,a,,oui,1\nm,t,fr,b,,non,0\n"


def write(folder: Path, **files: Any) -> Path:
    """Write files into a folder, a dot in a name as two underscores; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        data = value if isinstance(value, bytes) else dumped(value)
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def write_helm(folder: Path, **more: Any) -> Path:
    """Write a HELM run folder; a file that is nothing is left out."""
    for name, value in helm_run(**{f"{key}.json": one for key, one in more.items()}).items():
        if value is not None:
            write(folder, **{name.replace(".", "__"): value})
    return folder
