# SPDX-License-Identifier: Apache-2.0
"""Whether the labs ran the same, in plain language. Pure: a finding in, sentences out.

1. It is said how many settings were compared, so that *the same* is no empty word; where nothing
   was told, that nothing was compared.
2. Each undeclared difference is said alone, with what it does; then what was declared.
3. What some lab did not tell is named: it is not known to be the same.
"""

from collections.abc import Iterator

from countermark.exercise.vocabulary import WHY, kind_of
from countermark.records.compared import ComparedSetting, SettingStatus
from countermark.records.finding import Finding

SAME = "Did the labs run the same?"


def same_sentences(finding: Finding) -> tuple[str, ...]:
    """Say how the labs' settings compare.

    Parameters
    ----------
    finding
        As it was published.
    """
    table = finding.comparability
    if table is None:
        return ("No lab told its settings, so nothing could be compared.",)
    return tuple(_sentences(table))


def _sentences(table: tuple[ComparedSetting, ...]) -> Iterator[str]:
    same = sum(row.status == "same" for row in table)
    yield f"{len(table)} settings were compared; {same} are known to be the same at every lab."
    for row in table:
        if labs := _labs(row, "undeclared"):
            yield (
                f"{labs} ran with another {row.name} and did not say so: "
                f"{WHY[kind_of(row.name)]}, so what was run like that is left out."
            )
    for row in table:
        if labs := _labs(row, "declared-deviation"):
            yield f"{labs} declared another {row.name}."
    for status, words in (
        ("declared-factor", "These differ as the protocol lets them"),
        ("allowed", "These may differ, and do"),
        ("unknown", "These some lab did not tell, so they are not known to be the same"),
    ):
        names = [row.name for row in table if any(one.status == status for one in row.values)]
        if names:
            yield f"{words}: {', '.join(names)}."


def _labs(row: ComparedSetting, status: SettingStatus) -> str:
    return ", ".join(dict.fromkeys(one.lab for one in row.values if one.status == status))
