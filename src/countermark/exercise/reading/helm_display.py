# SPDX-License-Identifier: Apache-2.0
"""What HELM writes for its web pages, where the files that these were made from are not there.

1. ``display_predictions.json`` has an answer and some statistics of each instance, by trial and
   perturbation; ``instances.json`` the instances; ``display_requests.json`` the prompts. Together
   they stand for ``scenario_state.json``, and the first for ``per_instance_stats.json``.
2. An answer that these files do not hold is none; why a request failed they do not say.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    mapping,
    number,
    read_document,
    refuse,
    sequence,
    sibling,
    text,
)

TOOL = "helm"
PREDICTIONS, REQUESTS, INSTANCES = FILES = (
    "display_predictions.json",
    "display_requests.json",
    "instances.json",
)
NOTE = (
    f"Samples are from {PREDICTIONS}, which holds some statistics only and not why a request "
    "failed."
)
_NEXT = "Give the whole run folder as HELM wrote it."


class Displayed:
    """The three files of one run folder.

    Parameters
    ----------
    folder
        The run folder.

    Raises
    ------
    InputError
        If a file is broken.
    """

    def __init__(self, folder: Path) -> None:
        files = [
            sequence(read_document(found, TOOL)) if (found := sibling(folder / name, name, TOOL))
            else []
            for name in FILES
        ]  # fmt: skip
        self.predictions, requests, instances = files
        where = folder / PREDICTIONS
        for place, one in enumerate(self.predictions):
            if not isinstance(one, dict):
                refuse("is no prediction", f"{where}: entry {place}", _NEXT)
        self._requests = {_key(one): mapping(one.get("request")) for one in map(mapping, requests)}
        self._instances = {
            (str(one.get("id")), _perturbed(one)): one for one in map(mapping, instances)
        }

    def states(self) -> Iterator[dict[str, Any]]:
        """Yield the requests as ``scenario_state.json`` has them."""
        for one in self.predictions:
            item, perturbation = str(one.get("instance_id")), one.get("perturbation")
            known = self._instances.get((item, _perturbed(one)), {})
            answer, mapped = one.get("predicted_text"), text(one.get("mapped_output"))
            said = isinstance(answer, str)
            yield {
                "instance": {**known, "id": one.get("instance_id"), "perturbation": perturbation},
                "train_trial_index": one.get("train_trial_index", 0),
                "reference_index": one.get("reference_index"),
                "request": self._requests.get(_key(one), {}),
                "output_mapping": {str(answer).strip(): mapped} if mapped else {},
                "result": {"success": True, "completions": [{"text": answer}]} if said else {},
            }

    def statistics(self) -> Iterator[dict[str, Any]]:
        """Yield the statistics as ``per_instance_stats.json`` has them."""
        for one in self.predictions:
            known = self._instances.get((str(one.get("instance_id")), _perturbed(one)), {})
            context = {
                "split": known.get("split"),
                "sub_split": known.get("sub_split"),
                "perturbation": one.get("perturbation"),
            }
            yield {
                "instance_id": one.get("instance_id"),
                "perturbation": one.get("perturbation"),
                "train_trial_index": one.get("train_trial_index", 0),
                "stats": [
                    {"name": {"name": name, **context}, "count": 1, "mean": number(value)}
                    for name, value in mapping(one.get("stats")).items()
                ],
            }


def _perturbed(value: dict[str, Any]) -> str:
    return json.dumps(value.get("perturbation"), sort_keys=True)


def _key(value: dict[str, Any]) -> tuple[str, str, str, str]:
    trial, reference = value.get("train_trial_index", 0), value.get("reference_index")
    return str(value.get("instance_id")), _perturbed(value), str(trial), str(reference)
