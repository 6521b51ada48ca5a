# SPDX-License-Identifier: Apache-2.0
"""What the demonstration's example developer promises and answers; no company stands behind it.

It publishes a framework, replaces it, and gives an account of the change that is silent on a limit
which it raised. An institute judges what no figure decides, and the developer replies to the
decision.
"""

from datetime import date
from importlib.resources import files

from countermark.records.account import Account, Announced, Reply
from countermark.records.determination import Determination, Weighed
from countermark.records.framework import Framework

_FILES = ("demonstration-1.json", "demonstration-2.json")


def demonstration_frameworks() -> tuple[Framework, Framework]:
    """Return the two versions of the example developer's framework, the older first."""
    folder = files(__package__)
    first, second = (
        Framework.from_bytes((folder / name).read_bytes(), where=name) for name in _FILES
    )
    return first, second


def demonstration_account(on: date) -> Account:
    """Return what the developer says of the change; it leaves out the limit that it raised."""
    before, after = demonstration_frameworks()
    return Account(
        developer=after.developer,
        before=before.digest,
        after=after.digest,
        date=on.isoformat(),
        changes=(
            Announced(
                added="acts-alone", words="Tasks of many steps are looked at.", effect="added"
            ),
            Announced(
                added="guards-weights", words="Weights will be guarded in time.", effect="added"
            ),
            Announced(
                provision="test-report", words="A report on the tests comes out.", effect="added"
            ),
        ),
        demonstration=True,
    )


def demonstration_determination(
    determined_by: str, model: str, identity: str, finding: str, on: date
) -> Determination:
    """Return an institute's judgement that the system does not act on its own.

    Parameters
    ----------
    determined_by
        Code of the institute.
    model, identity
        Key of the system, and the digest that pins its snapshot.
    finding
        Digest of the joint finding that was weighed.
    on
        When it was determined.
    """
    _, framework = demonstration_frameworks()
    return Determination(
        determined_by=determined_by,
        framework=framework.digest,
        subject="threshold",
        key="acts-alone",
        model=model,
        identity=identity,
        conclusion="no",
        level="none",
        date=on.isoformat(),
        persons=("the examiner of the simulated institute",),
        reasons="Written for the demonstration: nobody examined the system.",
        evidence=(
            Weighed(
                words="The joint finding: how often it follows simple instructions.",
                statement=finding,
            ),
        ),
        demonstration=True,
    )


def demonstration_reply(decision: str, on: date) -> Reply:
    """Return what the developer answers to a decision, by the decision's digest."""
    _, framework = demonstration_frameworks()
    return Reply(
        developer=framework.developer,
        of=decision,
        words="We will test the system again with its filter in place before anybody can use it.",
        date=on.isoformat(),
        demonstration=True,
    )
