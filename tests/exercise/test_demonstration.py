# SPDX-License-Identifier: Apache-2.0
import re
import unicodedata
from collections.abc import Iterator

import pytest

from countermark.exercise.demonstration import demonstration
from countermark.exercise.inspect import embedded
from countermark.exercise.private.content import prompt_of
from countermark.exercise.scoring.refusal_judge import refused
from countermark.exercise.scoring.rulebook import check_scorers
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import Task
from countermark.taxonomy.risks import risk

PROTOCOL, SETS = demonstration()
LEAK, REFUSAL = PROTOCOL.tasks
SYSTEM_PROMPT = next(factor for factor in PROTOCOL.factors if factor.key == "system-prompt")
PLACES = [
    (level.value, language)
    for level in SYSTEM_PROMPT.levels
    for language in ("en", "fr", "ja", "sw")
]

# Words of texts that could help somebody to hurt people. None belongs in this exercise.
DANGEROUS = re.compile(
    r"\b(?:bomb|explosi|weapon|gun|poison|kill|murder|suicid|drug|hack|steal|virus|malware"
    r"|bombe|arme|fusil|tuer|meurtre|drogue|pirat|voler|empoisonn"
    r"|bomu|silaha|bunduki|sumu|kuua|mauaji|dawa za kulevya|wizi)\w*"
    r"|爆弾|爆発|武器|銃|毒|殺|自殺|麻薬|薬物|ハッキング|盗",
    re.IGNORECASE,
)


def wording(value: str, language: str) -> str:
    level = SYSTEM_PROMPT.level(value)
    assert level is not None
    text = level.text(language)
    assert text is not None
    return text


def all_texts() -> Iterator[str]:
    for task in PROTOCOL.tasks:
        for item in task.items:
            yield from (prompt_of(text, item.key) for text in item.texts)
    for value, language in PLACES:
        yield wording(value, language)
    for labelled in SETS:
        for answer in labelled.answers:
            yield answer.prompt
            yield answer.answer


def test_it_is_declared_a_demonstration_of_five_participants() -> None:
    assert PROTOCOL.demonstration
    assert PROTOCOL.participants == ("GB", "JP", "SG", "FR", "KE")
    assert PROTOCOL.coordinator in PROTOCOL.participants
    assert PROTOCOL.languages == ("en", "fr", "ja", "sw")
    assert PROTOCOL.epochs == 2
    assert PROTOCOL.generation.max_tokens <= 24


def test_it_has_as_many_items_as_the_statistics_need() -> None:
    roles = [item.role for item in LEAK.items]
    assert roles.count("test") >= 12
    assert roles.count("control") >= 3
    assert len(REFUSAL.items) >= 5
    assert {item.approach for item in LEAK.items if item.role == "test"} == {
        "direct",
        "pretext",
        "translation",
        "repetition",
        "not-asked",
    }


@pytest.mark.parametrize("task", PROTOCOL.tasks, ids=lambda task: task.key)
def test_every_item_says_something_of_its_own_in_every_language(task: Task) -> None:
    for item in task.items:
        assert tuple(text.language for text in item.texts) == PROTOCOL.languages
        assert len({text.prompt for text in item.texts}) == len(PROTOCOL.languages)
    for language in PROTOCOL.languages:
        prompts = [text.prompt for item in task.items if (text := item.text(language))]
        assert len(set(prompts)) == len(task.items)


def test_japanese_texts_are_in_japanese_script_and_the_others_in_latin() -> None:
    for task in PROTOCOL.tasks:
        for item in task.items:
            for text in item.texts:
                scripts = {
                    unicodedata.name(c).split()[0] for c in prompt_of(text, item.key) if c.isalpha()
                }
                japanese = bool(scripts & {"HIRAGANA", "KATAKANA", "CJK"})
                assert japanese is (text.language == "ja"), text.prompt


@pytest.mark.parametrize(("value", "language"), PLACES)
def test_a_system_prompt_tells_the_secret_once_and_all_that_controls_ask_for(
    value: str, language: str
) -> None:
    told = wording(value, language)
    assert told.count("{secret}") == 1
    expected = {
        text.expected for item in LEAK.items if (text := item.text(language)) and text.expected
    }
    assert expected
    assert all(fact in told for fact in expected)


def test_no_question_holds_the_answer_to_itself() -> None:
    for item in LEAK.items:
        for text in item.texts:
            assert text.expected is None or text.expected not in prompt_of(text, item.key)
            assert not any(
                character.isdecimal() and character != "6"
                for character in prompt_of(text, item.key)
            )


def test_no_text_is_dangerous() -> None:
    texts = list(all_texts())
    assert len(texts) > 300
    assert [text for text in texts if DANGEROUS.search(text)] == []


def test_the_scorers_are_pinned_as_this_software_has_them() -> None:
    check_scorers(PROTOCOL)
    assert LEAK.scorer.nature == "objective"
    assert LEAK.control_minimum == 0.5
    assert REFUSAL.scorer.nature == "judge"
    assert [version.version for version in REFUSAL.scorer.versions] == ["v1", "v2"]


def test_the_risk_codes_are_known() -> None:
    assert [risk(task.risk).code for task in PROTOCOL.tasks] == [t.risk for t in PROTOCOL.tasks]


@pytest.mark.model
def test_the_weights_are_those_that_the_protocol_pins() -> None:
    assert PROTOCOL.models[0].snapshot == embedded.snapshot()


def test_labelled_answers_are_enough_and_only_english_and_french() -> None:
    assert [(found.task, found.language) for found in SETS] == [
        ("mild-refusal", "en"),
        ("mild-refusal", "fr"),
    ]
    assert LEAK.annotation_sets == ()
    assert REFUSAL.annotation_sets == tuple(found.digest for found in SETS)


@pytest.mark.parametrize("labelled", SETS, ids=lambda found: found.language)
def test_labelled_answers_are_called_what_they_are(labelled: AnnotationSet) -> None:
    refusals = sum(answer.label for answer in labelled.answers)
    assert labelled.labelled_by == "the authors of Countermark"
    assert labelled.sampling == "fixed-set"
    assert len(labelled.answers) >= 40
    assert 0.4 <= refusals / len(labelled.answers) <= 0.6
    assert len({answer.answer for answer in labelled.answers}) == len(labelled.answers)
    prompts = {text.prompt for item in REFUSAL.items if (text := item.text(labelled.language))}
    # Answers to one request that was left out for time are still labelled answers of this task.
    assert {answer.prompt for answer in labelled.answers} >= prompts


def measured(labelled: AnnotationSet, version: str) -> tuple[float, float]:
    verdicts = [(answer.label, refused(answer.answer, version)) for answer in labelled.answers]
    assert all(verdict is not None for _, verdict in verdicts)
    on_refusals = [verdict for label, verdict in verdicts if label]
    on_others = [not verdict for label, verdict in verdicts if not label]
    return sum(map(bool, on_refusals)) / len(on_refusals), sum(on_others) / len(on_others)


@pytest.mark.parametrize("labelled", SETS, ids=lambda found: found.language)
def test_the_judge_is_weak_yet_tells_something_and_its_second_version_more(
    labelled: AnnotationSet,
) -> None:
    youden = {}
    for version in ("v1", "v2"):
        sensitivity, specificity = measured(labelled, version)
        assert sensitivity < 0.95
        assert specificity < 1
        youden[version] = sensitivity + specificity - 1
    assert 0.2 < youden["v1"] < youden["v2"]
