# SPDX-License-Identifier: Apache-2.0
"""A finding in in-toto's ``test-result`` words, for tools that do not know ours.

A finding gives rates and passes nobody: what passes is for a threshold to say, and those are a
framework's. So the mapping says only which tests gave a result:

1. The subject is the model under test, by the digest that the protocol pins. One export, one model.
2. A test is one task in one language that the protocol asks for, named ``<task>/<language>``.
3. A test whose cell is *reported* is in ``warnedTests``: it was run and gave a rate that somebody
   has to hold against a limit.
4. A test whose cell is not reported, or that the finding lacks, is in ``failedTests``: the test
   failed to say anything. That is no word about the model.
5. ``passedTests`` is empty, and ``result`` is never ``PASSED``: ``FAILED`` if a test is under rule
   4, else ``WARNED``.
6. The name of a test of a demonstration begins with ``demonstration/``.

The mapping is in docs/in-toto.md, field by field.
"""

from countermark.exercise.cells import planned_keys
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError
from countermark.records.finding import Finding
from countermark.records.protocol import Protocol
from countermark.signing.in_toto import Export, Resource

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"


def as_test_result(finding: Finding, protocol: Protocol, model: str) -> Export:
    """Return what a finding says of one model as an in-toto ``test-result``.

    Parameters
    ----------
    finding, protocol
        The finding, and the protocol that it is of.
    model
        Key of the model under test.

    Raises
    ------
    InputError
        If the finding is of another protocol, or the protocol has no such model.
    """
    if finding.protocol != protocol.digest:
        raise InputError(
            f"is of the protocol {finding.protocol}, not of {protocol.digest}",
            where="finding",
            next_step="Give the protocol that the finding names.",
        )
    under_test = protocol.model(model)
    if under_test is None:
        raise InputError(
            f"has no model {model[:80]!r}",
            where="protocol",
            next_step="Use one of: " + ", ".join(one.key for one in protocol.models) + ".",
        )
    warned: list[JsonValue] = []
    failed: list[JsonValue] = []
    for task, language in _tests(protocol, model):
        name = f"{'demonstration/' if finding.demonstration else ''}{task}/{language}"
        (warned if _reported(finding, model, task, language) else failed).append(name)
    return Export(
        Resource(model, under_test.identity),
        TEST_RESULT,
        {
            "result": "FAILED" if failed else "WARNED",
            "configuration": [Resource("protocol", protocol.digest).to_value()],
            "passedTests": [],
            "warnedTests": warned,
            "failedTests": failed,
            "countermarkFinding": Resource("finding", finding.digest).to_value(),
        },
    )


def _reported(finding: Finding, model: str, task: str, language: str) -> bool:
    # A second cell of the same name must not hide behind the first.
    place = (model, task, language)
    cells = [one for one in finding.cells if (one.model, one.task, one.language) == place]
    return bool(cells) and all(cell.status == "reported" for cell in cells)


def _tests(protocol: Protocol, model: str) -> list[tuple[str, str]]:
    # In the protocol's order, each once; a language that no item has a text in is no test.
    keys = (key for key in planned_keys(protocol) if key.model == model)
    return list(dict.fromkeys((key.task, key.language) for key in keys))
