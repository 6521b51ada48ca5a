# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.comparing.redaction import LONGEST, public_host, redacted


@pytest.mark.parametrize(
    "name", ["api_key", "model.args.api_key", "AWS_SECRET", "token", "hf-token", "password", "auth"]
)
def test_rule_1_a_name_that_promises_a_secret(name: str) -> None:
    assert redacted(name, "anything") == "(secret)"
    assert redacted("model.args", {name: {"a": "b"}}) == {name: "(secret)"}


def test_rule_1_numbers_are_no_secrets() -> None:
    assert redacted("max_tokens", 16) == 16
    assert redacted("use_auth", value=True) is True


@pytest.mark.parametrize(
    "text",
    [
        "sk-abcdefghijklmnopqrstuv",
        "Bearer abcdefghijkl",
        "hf_ABCDEFGHIJKLMNOPQRSTUVWX",
        "AKIAIOSFODNN7EXAMPLEX",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_rule_2_a_known_credential_under_any_name(text: str) -> None:
    assert redacted("note", f"x {text} y") == "x (secret) y"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://api.openai.com/v1?key=abc", "api.openai.com"),
        ("https://me:pw@api.openai.com:8443/v1", "api.openai.com"),
        ("https://ministry-of-x.openai.azure.com/deployments/y", "*.azure.com"),
        ("http://gpu17.lab.internal:8000/v1", "(host)"),
        ("http://10.0.0.3:8000", "(host)"),
        ("http://evil-openai.com", "(host)"),
        ("file:///home/alice/x", "(path)"),
    ],
)
def test_rule_3_an_address_keeps_only_a_public_host(address: str, kept: str) -> None:
    assert redacted("base", address) == kept


def test_rule_3_numeric_addresses_without_a_scheme() -> None:
    assert redacted("base", "192.168.1.4:80 and localhost:3000") == "(host) and (host)"
    assert public_host("http://[::1") is None


@pytest.mark.parametrize(
    "path",
    ["/home/alice/models/x.gguf", "~/models/x", "../up/x.py", "C:\\Users\\a\\x", "\\\\srv\\x"],
)
def test_rule_4_a_path_is_replaced(path: str) -> None:
    assert redacted("file", path) == "(path)"


@pytest.mark.parametrize(
    "text", ["meta-llama/Llama-3", "</s>", "</think>", "a/b", "1.2.3", "and/or"]
)
def test_rule_5_what_is_none_of_these_stays_as_it_is(text: str) -> None:
    assert redacted("value", text) == text


def test_rule_5_labs_that_hide_alike_are_not_thought_to_differ() -> None:
    assert redacted("file", "/home/a/b") == redacted("file", "/srv/c/d")


def test_rule_6_a_long_text_becomes_its_digest() -> None:
    assert redacted("prompt", "a" * LONGEST) == "a" * LONGEST
    assert str(redacted("prompt", "a" * (LONGEST + 1))).startswith("sha256:")


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=30))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(VALUES, st.sampled_from(["sk-SECRETSECRETSECRET1", "/home/alice/x", "http://u:p@h.int/"]))
def test_nothing_secret_survives_at_any_depth(value: object, secret: str) -> None:
    shown = json.dumps(redacted("x", {"a": [value, {"b": secret, "api_key": secret}]}))  # type: ignore[list-item]
    assert secret not in shown
    deep: object = secret
    for _ in range(50):
        deep = [deep]
    assert secret not in json.dumps(redacted("x", deep))  # type: ignore[arg-type]
