# SPDX-License-Identifier: Apache-2.0
import pytest
from exercise_small import cell_run, small_protocol

from countermark.exercise.stages.running import Part, RunOptions, nobody, read_model_args
from countermark.records.errors import UsageError

PROTOCOL = small_protocol()


@pytest.mark.parametrize("name", ["api_key", "ACCESS_TOKEN", "client-secret", "passwordFile"])
def test_an_argument_that_looks_like_a_credential_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="looks like a credential") as caught:
        RunOptions(model_args={name: "sk-1"})
    assert "sk-1" not in str(caught.value)
    assert "environment" in caught.value.next_step


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(UsageError, match="user name or password") as caught:
        RunOptions(base_url="https://me:hunter2@models.example/v1")
    assert "hunter2" not in str(caught.value)
    assert RunOptions(base_url="https://models.example/v1").base_url


def test_arguments_are_json_or_text() -> None:
    assert read_model_args(("device=cuda", "layers=4", 'stop=["a"]', "empty=", "url=a=b")) == {
        "device": "cuda",
        "layers": 4,
        "stop": ["a"],
        "empty": "",
        "url": "a=b",
    }
    for odd in ("device", "=cuda"):
        with pytest.raises(UsageError, match="no name=value"):
            read_model_args((odd,))


def test_a_part_is_all_of_what_is_not_named() -> None:
    runs = [cell_run(language=language) for language in PROTOCOL.languages]
    assert Part.of(PROTOCOL, (), (), ()).runs(runs) == tuple(runs)
    part = Part.of(PROTOCOL, ("smollm2-135m",), ("confidential-leak",), ("ja",))
    assert part.runs(runs) == (runs[1],)
    assert part.models == PROTOCOL.models
    for named in (("gpt", "", ""), ("", "gpt", ""), ("", "", "gpt")):
        with pytest.raises(UsageError, match="has no 'gpt'") as caught:
            Part.of(PROTOCOL, *([name] if name else [] for name in named))
        assert "Use one of" in caught.value.next_step
    nobody(runs[0], None)  # type: ignore[arg-type]
