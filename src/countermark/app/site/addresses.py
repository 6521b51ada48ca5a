# SPDX-License-Identifier: Apache-2.0
"""Where each page stands, said once; paths run from the site's root."""

import re
import unicodedata

STATEMENTS = "../statements/"
"""Statement files lie beside the site; over HTTP, browsers read this as ``/statements/``."""

VERIFY = "verify/"
"""The one page with scripts; the server's policy allows them there and nowhere else."""


def short(digest: str) -> str:
    """Return the first twelve hex digits of a content address."""
    return digest.removeprefix("sha256:")[:12]


def slug(text: str) -> str:
    """Return a name as it can stand in an address."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def finding(digest: str) -> str:
    """Return the folder of a finding's pages."""
    return f"findings/{short(digest)}/"


def why(digest: str) -> str:
    """Return the folder of the page on what stands behind a finding."""
    return f"{finding(digest)}why/"


def cell(digest: str, model: str, task: str, language: str) -> str:
    """Return the folder of one cell of a finding."""
    return f"{finding(digest)}{model}/{task}/{language.lower()}/"


def exercise(protocol: str) -> str:
    """Return the folder of an exercise, which is named by its protocol."""
    return f"exercises/{short(protocol)}/"


def protocol(digest: str) -> str:
    """Return the folder of a protocol's page."""
    return f"protocols/{short(digest)}/"


def decision(digest: str) -> str:
    """Return the folder of a decision's page."""
    return f"decisions/{short(digest)}/"


def determination(digest: str) -> str:
    """Return the folder of a determination's page."""
    return f"determinations/{short(digest)}/"


def account(digest: str) -> str:
    """Return the folder of the page of a developer's account."""
    return f"accounts/{short(digest)}/"


def reply(digest: str) -> str:
    """Return the folder of a reply's page."""
    return f"replies/{short(digest)}/"


def framework(digest: str) -> str:
    """Return the folder of a framework's page."""
    return f"frameworks/{short(digest)}/"


def record(kind: str, digest: str) -> str:
    """Return the file that holds a record's canonical bytes."""
    return f"records/{kind}-{short(digest)}.json"


def log(author: str) -> str:
    """Return the folder of one author's log."""
    return f"log/{slug(author)}/"


def member(code: str) -> str:
    """Return the folder of a member's page."""
    return f"members/{code.lower()}/"


def declaration(key: str) -> str:
    """Return the folder of a declaration's page."""
    return f"declarations/{key}/"


def company(key: str) -> str:
    """Return the folder of a company's page."""
    return f"commitments/{key}/"


def change(before: str, after: str) -> str:
    """Return the folder of the page that compares two versions of a framework."""
    return f"frameworks/{short(before)}-{short(after)}/"


def instrument(key: str) -> str:
    """Return the folder of a law's or code's page."""
    return f"law/{key}/"
