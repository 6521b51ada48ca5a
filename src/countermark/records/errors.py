# SPDX-License-Identifier: Apache-2.0
"""Every error Countermark raises on purpose.

::

    CountermarkError          something is wrong, and this is what to do next
    ├── UsageError            the command's words are off                          (exit 2)
    ├── InputError            a file or value that was given is wrong              (exit 1)
    ├── StateError            the node or exercise is not ready for this step      (exit 1)
    ├── StorageError          the disk or the port said no                         (exit 1)
    └── VerificationError     what somebody signed or logged does not check out    (exit 5)

A refusal (the gate says no, a lint finds a defect) is a result, not an error.
"""


class CountermarkError(Exception):
    """Root of all errors.

    Parameters
    ----------
    what
        What was wrong, one sentence.
    where
        The file, line, item key or address it was found at, if there is one.
    next_step
        What the person can do now.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, next_step: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}"


class UsageError(CountermarkError):
    """The command's words do not fit together."""

    exit_code = 2


class InputError(CountermarkError):
    """A file or value that was given is wrong."""


class StateError(CountermarkError):
    """The node or the exercise is not ready for this step."""


class StorageError(CountermarkError):
    """The disk, the folder or the port refused."""


class VerificationError(CountermarkError):
    """Something signed or logged does not check out."""

    exit_code = 5
