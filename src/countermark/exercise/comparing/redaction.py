# SPDX-License-Identifier: Apache-2.0
"""What is taken out of a setting before it is signed and published.

1. A text, list or object under a name that promises a secret (key, token, password, authorization,
   cookie …) is replaced whole.
2. A text in the form of a known credential is replaced, under any name.
3. An address keeps only its host, and that only if it is a public provider's; of a provider who
   gives each customer a host of its own, the customer's part is taken out. Other hosts and numeric
   addresses are replaced. User, password, port, path and query are never kept.
4. A path of a file is replaced: it names people and machines.
5. What is replaced says what it was, so that two labs who hide alike are not thought to differ.
6. A text of more than ``LONGEST`` characters, such as a prompt, is replaced by its digest.
"""

import re
from urllib.parse import urlsplit

from countermark.records.canonical import JsonValue, content_digest

LONGEST = 400
MOST_DEPTH = 8
SECRET, PATH, HOST, DEEP = "(secret)", "(path)", "(host)", "(nested)"
PUBLIC_HOSTS = (
    "ai.azure.com",
    "amazonaws.com",
    "anthropic.com",
    "azure.com",
    "cohere.com",
    "deepinfra.com",
    "deepseek.com",
    "fireworks.ai",
    "googleapis.com",
    "groq.com",
    "huggingface.co",
    "mistral.ai",
    "nvidia.com",
    "openai.com",
    "openrouter.ai",
    "perplexity.ai",
    "together.ai",
    "together.xyz",
    "x.ai",
)
_SECRET_NAME = re.compile(
    r"(?:^|[._\-\s])(?:api[_-]?key|key|token|secret|password|passwd|passphrase|pwd|credentials?|auth"
    r"|authorization|bearer|cookie|signature|private|access[_-]?key)(?:s|[_-]?id)?$",
    re.IGNORECASE,
)
_KNOWN_SECRET = re.compile(
    r"\b(?:sk|pk|rk|hf|ghp|gho|ghs|glpat|xox[abprs]|AKIA|ASIA|AIza|gsk|r8|nvapi)[-_]?[A-Za-z0-9]"
    r"[A-Za-z0-9_\-]{14,}|\beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-.]+|-----BEGIN [A-Z ]+-----"
    r"|\bBearer\s+\S{8,}",
)
_ADDRESS = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.\-]*://[^\s\"'<>]+")
_NUMERIC = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b|\blocalhost(?::\d+)?\b")
_IN_PATH = re.compile(
    r"(?<![\w/.<])(?:~|\.{1,2})?/(?:[\w.@+\-]+/)+[\w.@+\-]*|(?<!\w)~/[\w.@+\-]+"
    r"|\b[A-Za-z]:[\\/][^\s\"']*|\\\\[^\s\"']+"
)


def redacted(name: str, value: JsonValue, depth: int = MOST_DEPTH) -> JsonValue:
    """Return a setting's value with everything taken out that is not to be published.

    Parameters
    ----------
    name
        The name under which the tool has it.
    value
        Its value there.
    depth
        How deeply nested values are looked into; deeper ones are replaced.
    """
    # A number or a truth value is none: max_tokens counts tokens.
    if isinstance(value, str | list | dict) and _SECRET_NAME.search(name):
        return SECRET
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        return DEEP
    if isinstance(value, list):
        return [redacted(name, one, depth - 1) for one in value]
    return {
        str(_text(key)): redacted(key, one, depth - 1)
        for key, one in sorted(value.items(), key=lambda pair: pair[0])
    }


def public_host(address: str) -> str | None:
    """Return the host of an address as it may be published (rule 3); nothing if it may not."""
    try:
        host = (urlsplit(address if "://" in address else f"//{address}").hostname or "").lower()
    except ValueError:
        return None
    own = next((one for one in PUBLIC_HOSTS if host == one or host.endswith(f".{one}")), None)
    if own is None:
        return None
    # The first label may be a customer's; of the providers named here only such hosts are general.
    general = {f"{label}.{own}" for label in ("api", "www", "router", "integrate")} | {own}
    return host if host in general else f"*.{own}"


def _text(text: str) -> str:
    text = _KNOWN_SECRET.sub(SECRET, text)
    text = _ADDRESS.sub(lambda found: _address(found[0]), text)
    text = _NUMERIC.sub(HOST, text)
    text = _IN_PATH.sub(PATH, text)
    if len(text) > LONGEST:
        return content_digest(text.encode("utf-8", "replace"))
    return text


def _address(address: str) -> str:
    if address.lower().startswith("file:"):
        return PATH
    return public_host(address) or HOST
