# SPDX-License-Identifier: Apache-2.0
"""How short texts of a record are written: the patterns, and what to tell who wrote another."""

DIGEST = r"^sha256:[0-9a-f]{64}$"
HEX32 = r"^[0-9a-f]{64}$"
SLUG = r"^[a-z0-9]+(?:[-._][a-z0-9]+)*$"
MEMBER = r"^[A-Z]{2}$"
PARTY = r"^(?:[A-Z]{2}|[a-z0-9]+(?:-[a-z0-9]+)*)$"
LAB = r"^[A-Z]{2}(?:-[a-z0-9]+)+$"
LANGUAGE = r"^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?$"
TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
DATE = r"^[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?$"

WORDS = {
    DIGEST: "a digest: sha256: and 64 hexadecimal digits in small letters",
    HEX32: "64 hexadecimal digits in small letters",
    SLUG: "a key in small letters and digits, such as keeps-secrets",
    MEMBER: "a member's code of two capitals, such as GB",
    PARTY: "a member's code such as GB, or a code in small letters such as example-developer",
    LAB: "a lab's code, such as GB-simulated",
    LANGUAGE: "a language tag, such as en or pt-BR",
    TIMESTAMP: "a time in UTC, such as 2026-11-29T16:30:00Z",
    DATE: "a date, such as 2026-11-29, 2026-11 or 2026",
}
"""What each pattern asks for, after *must be*."""
