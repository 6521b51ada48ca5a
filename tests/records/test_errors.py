# SPDX-License-Identifier: Apache-2.0
import pytest

from countermark.records.errors import (
    CountermarkError,
    InputError,
    StateError,
    StorageError,
    UsageError,
    VerificationError,
)


@pytest.mark.parametrize(
    ("family", "code"),
    [(UsageError, 2), (InputError, 1), (StateError, 1), (StorageError, 1), (VerificationError, 5)],
)
def test_each_family_has_its_exit_code(family: type[CountermarkError], code: int) -> None:
    error = family("is wrong", where="a.json", next_step="Mend it.")
    assert isinstance(error, CountermarkError)
    assert (error.exit_code, str(error), error.next_step) == (code, "a.json: is wrong", "Mend it.")


def test_a_place_is_named_only_if_there_is_one() -> None:
    assert str(InputError("is wrong", next_step="Mend it.")) == "is wrong"
