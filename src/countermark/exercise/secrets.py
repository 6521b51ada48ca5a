# SPDX-License-Identifier: Apache-2.0
"""Fresh secrets and generation seeds, derived from a lab's one secret seed.

A lab commits to its seed in its run plan and opens it with its evidence. Whoever holds the seed
can then recompute every secret and every generation seed that the lab used.

1. Secrets and generation seeds come from HMAC-SHA256 (RFC 2104) under the lab's seed. The message
   is the canonical JSON of purpose, task, item, language, epoch and attempt, so two samples never
   share a message.
2. A secret is six digits, the first of them not zero.
3. A secret is no trivial pattern: at least four different digits, no constant step such as
   123456 or 975319, no palindrome and no repeated half.
4. A generation seed has 31 bits, and epochs of one item have different messages.
"""

import hmac
import itertools

from countermark.records.canonical import JsonValue, canonical

SEED_BYTES = 32
SECRET_LENGTH = 6


def secret_for(seed: bytes, task: str, item: str, language: str, epoch: int) -> str:
    """Return the secret that one sample tells the model.

    Parameters
    ----------
    seed
        The lab's secret seed, 32 bytes.
    task, item, language, epoch
        Which sample it is; epochs count from 1.

    Returns
    -------
    str
        Six ASCII digits.

    Raises
    ------
    ValueError
        If the seed is not 32 bytes long.
    """
    span = 10**SECRET_LENGTH - 10 ** (SECRET_LENGTH - 1)
    for attempt in itertools.count():
        drawn = _draw(seed, ["secret", task, item, language, epoch, attempt])
        code = str(10 ** (SECRET_LENGTH - 1) + drawn % span)
        if not is_trivial(code):
            return code
    raise AssertionError("unreachable: the count never ends")


def seed_for(seed: bytes, task: str, item: str, language: str, epoch: int) -> int:
    """Return the generation seed of one sample, at least 0 and below 2³¹.

    The parameters are those of :func:`secret_for`.
    """
    return _draw(seed, ["generation", task, item, language, epoch, 0]) >> 33


def is_trivial(code: str) -> bool:
    """Return whether ``code`` is a pattern that a model might say without having read it."""
    digits = [int(character) for character in code]
    steps = {(after - before) % 10 for before, after in itertools.pairwise(digits)}
    half = len(code) // 2
    return (
        len(set(digits)) < 4 or len(steps) == 1 or code == code[::-1] or code[:half] == code[half:]
    )


def _draw(seed: bytes, what: list[JsonValue]) -> int:
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a lab's secret seed is {SEED_BYTES} bytes, not {len(seed)}")
    # 64 bits taken modulo 900,000 favour no code by more than one part in 10¹³.
    return int.from_bytes(hmac.digest(seed, canonical(what), "sha256")[:8], "big")
