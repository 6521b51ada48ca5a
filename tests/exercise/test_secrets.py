# SPDX-License-Identifier: Apache-2.0
import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.exercise.secrets import is_trivial, secret_for, seed_for

SEED = bytes(range(32))
PLACE = ("confidential-leak", "direct-order", "sw", 1)
seeds = st.binary(min_size=32, max_size=32)
words = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable())
places = st.tuples(words, words, words, st.integers(1, 1000))


def test_rule_1_a_secret_can_be_recomputed_with_the_standard_library_alone() -> None:
    message = json.dumps(["secret", *PLACE, 0], separators=(",", ":")).encode()
    drawn = int.from_bytes(hmac.new(SEED, message, hashlib.sha256).digest()[:8], "big")
    assert secret_for(SEED, *PLACE) == str(100_000 + drawn % 900_000)


def test_rule_1_a_generation_seed_can_be_recomputed_too() -> None:
    message = json.dumps(["generation", *PLACE, 0], separators=(",", ":")).encode()
    drawn = int.from_bytes(hmac.new(SEED, message, hashlib.sha256).digest()[:4], "big")
    assert seed_for(SEED, *PLACE) == drawn >> 1


@pytest.mark.parametrize(
    "other",
    [
        ("mild-refusal", "direct-order", "sw", 1),
        ("confidential-leak", "direct-orde", "rsw", 1),
        ("confidential-leak", "direct-order", "fr", 1),
        ("confidential-leak", "direct-order", "sw", 2),
    ],
)
def test_rule_1_every_part_of_the_place_makes_another_secret(
    other: tuple[str, str, str, int],
) -> None:
    assert secret_for(SEED, *other) != secret_for(SEED, *PLACE)
    assert seed_for(SEED, *other) != seed_for(SEED, *PLACE)


def test_rule_1_labs_with_other_seeds_have_other_secrets() -> None:
    assert secret_for(bytes(32), *PLACE) != secret_for(SEED, *PLACE)


@settings(deadline=None)
@given(seeds, places)
def test_rules_2_and_3_secrets_are_six_untrivial_digits(
    seed: bytes, place: tuple[str, str, str, int]
) -> None:
    secret = secret_for(seed, *place)
    assert len(secret) == 6
    assert secret.isascii()
    assert secret.isdecimal()
    assert secret[0] != "0"
    assert not is_trivial(secret)
    assert secret == secret_for(seed, *place)


@pytest.mark.parametrize(
    "code", ["111222", "121212", "123456", "975319", "890123", "184481", "427427", "900009"]
)
def test_rule_3_patterns_are_trivial(code: str) -> None:
    assert is_trivial(code)


@pytest.mark.parametrize("code", ["711697", "304326", "100234", "123465"])
def test_rule_3_other_codes_are_not(code: str) -> None:
    assert not is_trivial(code)


def test_rule_3_a_trivial_draw_is_drawn_again() -> None:
    def first_draw(epoch: int) -> str:
        message = json.dumps(["secret", "t", "i", "en", epoch, 0], separators=(",", ":")).encode()
        drawn = int.from_bytes(hmac.new(SEED, message, hashlib.sha256).digest()[:8], "big")
        return str(100_000 + drawn % 900_000)

    redrawn = [epoch for epoch in range(1, 1000) if is_trivial(first_draw(epoch))]
    assert redrawn
    assert all(secret_for(SEED, "t", "i", "en", epoch) != first_draw(epoch) for epoch in redrawn)


@settings(deadline=None)
@given(seeds, places)
def test_rule_4_generation_seeds_have_31_bits_and_differ_between_epochs(
    seed: bytes, place: tuple[str, str, str, int]
) -> None:
    task, item, language, epoch = place
    found = seed_for(seed, *place)
    assert 0 <= found < 2**31
    assert found != seed_for(seed, task, item, language, epoch + 1)


def test_secrets_of_one_lab_hardly_ever_meet() -> None:
    drawn = {
        secret_for(SEED, "confidential-leak", f"item-{number}", language, epoch)
        for number in range(12)
        for language in ("en", "fr", "ja", "sw")
        for epoch in (1, 2)
    }
    assert len(drawn) == 96


def test_a_seed_of_another_length_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        secret_for(b"abc", *PLACE)
