# SPDX-License-Identifier: Apache-2.0
"""One lying lab a rule; and what no order, repetition or further difference may change."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.comparing.comparability import (
    Cell,
    CellAccount,
    Comparability,
    LabAccount,
    compare_labs,
)
from countermark.records.compared import ComparedSetting

EN, FR = Cell("m", "leak", "en"), Cell("m", "leak", "fr")
LABS = ("GB-a", "JP-b", "SG-c")
HONEST: dict[str, object] = {
    "model.name": "openai/x", "model.route": "openai", "system-prompt": None,
    "dataset.items": "sha256:1", "generation.temperature": 0.5, "generation.top_p": 1,
    "generation.max_tokens": 16, "epochs": 2, "changed-during-run": [], "model.fallback": [],
    "scorer.judge.prompt": "sha256:2", "chat-template": "sha256:3",
}  # fmt: skip
ASKED = {
    name: HONEST[name]
    for name in HONEST
    if name not in {"model.route", "chat-template", "scorer.judge.prompt"}
}


def account(
    lab: str,
    change: dict[str, object] | None = None,
    *,
    cell: Cell = EN,
    without: str | None = None,
    asked: dict[str, object] = ASKED,
    reference: dict[str, object] | None = None,
    deviations: tuple[str, ...] = (),
    levels: dict[str, str] | None = None,
    sealed: datetime | None = None,
) -> LabAccount:
    """Return an honest lab that lies in one thing."""
    told = {k: v for k, v in {**HONEST, **(change or {})}.items() if k != without}
    one = CellAccount(
        _json(told), _json(asked), _json(asked if reference is None else reference), levels or {}
    )
    return LabAccount(lab, {cell: one}, frozenset(deviations), sealed)


def _json(values: dict[str, object]) -> dict[str, str]:
    return {name: json.dumps(value, separators=(",", ":")) for name, value in values.items()}


def row(found: Comparability, name: str) -> ComparedSetting:
    return next(one for one in found.table if one.name == name)


def statuses(found: Comparability, name: str) -> dict[str, str]:
    return {one.lab: one.status for one in row(found, name).values}


def honest(*but: LabAccount) -> Comparability:
    """Compare three labs, of which some are given."""
    given_labs = {one.lab: one for one in but}
    return compare_labs([given_labs.get(lab) or account(lab) for lab in LABS])


def blocked(found: Comparability) -> dict[str, tuple[str, ...]]:
    return {lab: names for (lab, _), names in found.blocked.items()}


def test_labs_that_ran_the_same_are_the_same() -> None:
    found = honest()
    assert {one.status for one in found.table} == {"same"}
    assert found.comparable


def test_rule_1_a_provider_that_changes_the_model_between_two_cells_is_seen() -> None:
    labs = [
        LabAccount(
            lab,
            {
                **account(lab, {"model.answered": "x-2026-01"}).cells,
                **account(lab, {"model.answered": answered}, cell=FR).cells,
            },
        )
        for lab, answered in (("GB-a", "x-2026-01"), ("JP-b", "x-2026-01"), ("SG-c", "x-2026-02"))
    ]
    found = compare_labs(labs)
    assert found.blocked == {("SG-c", FR): ("model.answered",)}
    (in_fr,) = [v for v in row(found, "model.answered").values if v.status == "undeclared"]
    assert (in_fr.lab, in_fr.cells, in_fr.value) == ("SG-c", ("m/leak/fr",), '"x-2026-02"')
    alone = compare_labs([labs[2]])
    assert next(one for one in alone.table if one.status == "undeclared").name == "model.answered"


def test_rule_2_what_is_asked_of_a_lab_may_be_another_level_of_a_factor() -> None:
    warm = {**ASKED, "generation.temperature": 1}
    lab = account("JP-b", {"generation.temperature": 1}, asked=warm, reference=ASKED)
    found = honest(lab)
    assert statuses(found, "generation.temperature") == {
        "GB-a": "same", "JP-b": "declared-factor", "SG-c": "same",
    }  # fmt: skip
    assert found.comparable


def test_rule_3_another_temperature_than_the_plan_says_is_undeclared() -> None:
    found = honest(account("JP-b", {"generation.temperature": 1}))
    assert blocked(found) == {"JP-b": ("generation.temperature",)}
    lie = next(one for one in row(found, "generation.temperature").values if one.lab == "JP-b")
    assert (lie.value, lie.asked, lie.cells) == ("1", "0.5", None)


def test_rule_3_all_labs_may_be_wrong_together() -> None:
    found = compare_labs([account(lab, {"generation.top_p": 0.9}) for lab in LABS])
    assert set(blocked(found)) == set(LABS)


def test_rule_4_another_chat_template_or_judge_prompt_is_undeclared() -> None:
    for name in ("chat-template", "scorer.judge.prompt", "model.route"):
        assert blocked(honest(account("SG-c", {name: "other"}))) == {"SG-c": (name,)}


def test_rule_4_without_a_common_value_nobody_is_taken_at_their_word() -> None:
    found = compare_labs([account("GB-a"), account("JP-b", {"model.route": "azure"})])
    assert blocked(found) == {"GB-a": ("model.route",), "JP-b": ("model.route",)}
    assert {one.reason for one in row(found, "model.route").values} == {
        "no value is common to most"
    }


def test_rule_4_a_factor_lets_labs_of_two_levels_differ_but_not_those_of_one() -> None:
    def routed(lab: str, level: str, route: str) -> LabAccount:
        return account(lab, {"model.route": route}, levels={"model.route": level})

    labs = [routed("GB-a", "one", "x"), routed("JP-b", "one", "x"), routed("SG-c", "two", "y")]
    found = compare_labs([*labs, routed("FR-d", "two", "y")])
    assert found.comparable
    assert row(found, "model.route").status == "declared-factor"
    lying = compare_labs([*labs, routed("FR-d", "one", "y")])
    assert blocked(lying) == {"FR-d": ("model.route",)}


def test_rule_5_a_declared_deviation_is_pooled_and_shown() -> None:
    lab = account("JP-b", {"generation.top_p": 0.9}, deviations=("generation.top_p",))
    found = honest(lab)
    assert found.comparable
    assert statuses(found, "generation.top_p")["JP-b"] == "declared-deviation"
    other = account("JP-b", {"generation.top_p": 0.9}, deviations=("epochs",))
    assert blocked(honest(other)) == {"JP-b": ("generation.top_p",)}


def test_rule_5_who_declares_another_value_does_not_help_to_find_the_common_one() -> None:
    deviating = [
        account(lab, {"model.route": "azure"}, deviations=("model.route",)) for lab in LABS[1:]
    ]
    found = compare_labs([account("GB-a"), *deviating])
    assert found.comparable
    assert statuses(found, "model.route") == {
        "GB-a": "same", "JP-b": "declared-deviation", "SG-c": "declared-deviation",
    }  # fmt: skip


def test_rule_6_versions_of_packages_and_dates_may_differ() -> None:
    found = honest(*(account(lab, {"package.inspect_ai": lab}) for lab in LABS))
    assert found.comparable
    assert row(found, "package.inspect_ai").status == "allowed"


def test_rule_7_what_a_lab_does_not_tell_is_unknown_and_never_the_same() -> None:
    found = honest(account("JP-b", without="model.route"))
    assert found.comparable
    assert statuses(found, "model.route") == {"GB-a": "same", "JP-b": "unknown", "SG-c": "same"}
    assert row(found, "model.route").status == "unknown"


def test_rule_7_what_one_lab_alone_tells_is_unknown() -> None:
    found = honest(account("JP-b", {"sandbox": "docker"}))
    assert set(statuses(found, "sandbox").values()) == {"unknown"}


def test_rule_7_a_lab_that_tells_nothing_is_pooled_as_before() -> None:
    silent = LabAccount("SG-c", {EN: CellAccount(None, {}, {})})
    found = honest(silent)
    assert found.comparable
    assert {one.status for one in found.table} == {"unknown"}
    assert not silent.tells


def test_rule_7_a_setting_that_no_lab_tells_in_a_cell_does_not_exist_there() -> None:
    labs = [
        LabAccount(
            lab,
            {
                **account(lab).cells,
                **account(lab, cell=FR, without="scorer.judge.prompt").cells,
            },
        )
        for lab in LABS
    ]
    assert {one.status for one in compare_labs(labs).table} == {"same"}


def test_rule_8_who_hides_what_every_log_holds_differs_in_it() -> None:
    found = honest(account("JP-b", without="generation.temperature"))
    assert blocked(found) == {"JP-b": ("generation.temperature",)}
    (hidden,) = [v for v in row(found, "generation.temperature").values if v.lab == "JP-b"]
    assert (hidden.value, hidden.reason) == (None, "not told")


def test_rule_9_one_run_handed_in_by_two_labs_counts_for_neither() -> None:
    for name in ("run.id", "generation.seeds"):
        found = honest(account("GB-a", {name: "abc"}), account("SG-c", {name: "abc"}))
        assert blocked(found) == {"GB-a": (name,), "SG-c": (name,)}
        declared = account("SG-c", {name: "abc"}, deviations=(name,))
        assert "SG-c" in blocked(honest(account("GB-a", {name: "abc"}), declared))
        assert "SG-c handed in the same run" in str(row(found, name).values[0].reason)
        own = honest(account("GB-a", {name: "abc"}), account("SG-c", {name: "abd"}))
        assert own.comparable


def test_rule_10_a_run_that_ended_after_its_seal_was_witnessed() -> None:
    sealed = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def ended(text: str) -> Comparability:
        told: dict[str, object] = {"run.started": "2026-11-01T08:00:00Z", "run.finished": text}
        return honest(account("JP-b", told, sealed=sealed))

    assert ended("2026-11-01T11:59:00Z").comparable
    assert ended("2026-11-01T12:59:00Z").comparable  # clocks may differ by an hour
    assert blocked(ended("2026-11-01T13:00:01Z")) == {"JP-b": ("run.finished",)}
    assert blocked(ended("2026-11-01T07:59:59Z")) == {"JP-b": ("run.finished",)}
    assert ended("never").comparable


def test_rule_11_a_change_during_the_run_and_a_fallback_model_are_differences() -> None:
    changed = account("JP-b", {"changed-during-run": ["generation.temperature"]})
    assert blocked(honest(changed)) == {"JP-b": ("changed-during-run",)}
    fallback = account("JP-b", {"model.fallback": ["openai/small"]})
    assert blocked(honest(fallback)) == {"JP-b": ("model.fallback",)}


def test_rule_12_only_the_cell_that_differs_is_left_out() -> None:
    both = LabAccount(
        "JP-b", {**account("JP-b").cells, **account("JP-b", {"epochs": 1}, cell=FR).cells}
    )
    found = compare_labs([account("GB-a"), both])
    assert found.blocked == {("JP-b", FR): ("epochs",)}


NAMES = sorted(HONEST)
VALUES: st.SearchStrategy[object] = st.sampled_from(["x", "y", 1, None, []])
CHANGES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)
DECLARED = st.lists(st.sampled_from(NAMES), max_size=2)
GIVEN = st.lists(st.tuples(CHANGES, DECLARED), min_size=1, max_size=5)


def made(rows: list[tuple[dict[str, object], list[str]]]) -> list[LabAccount]:
    return [
        account(f"GB-{'abcde'[n]}", change, deviations=tuple(declared))
        for n, (change, declared) in enumerate(rows)
    ]


@given(GIVEN, st.randoms())
def test_rule_13_neither_order_nor_repetition_matters(
    rows: list[tuple[dict[str, object], list[str]]], random: object
) -> None:
    labs = made(rows)
    shuffled = [*labs, *labs[:2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert compare_labs(shuffled) == compare_labs(labs)


@given(GIVEN, st.data())
def test_further_differences_never_turn_blocked_into_pooled(
    rows: list[tuple[dict[str, object], list[str]]], data: st.DataObject
) -> None:
    before = compare_labs(made(rows))
    place = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from([name for name in NAMES if name not in rows[place][1]]))
    rows[place][0][name] = "a value that nobody else has"
    after = compare_labs(made(rows))
    assert before.blocked.keys() <= after.blocked.keys()
