# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import JSON_VALUES, LARGEST

from countermark.records.canonical import (
    MAX_DEPTH,
    JsonValue,
    canonical,
    content_digest,
    read_json,
    read_object,
)
from countermark.records.errors import InputError


def refused(data: bytes, saying: str, **options: Any) -> None:
    with pytest.raises(InputError, match=saying) as caught:
        read_json(data, where="a.json", **options)
    assert caught.value.where is not None
    assert caught.value.where.startswith("a.json")
    assert caught.value.next_step


def nested(depth: int, opening: str, closing: str) -> bytes:
    return (opening * depth + closing * depth).encode()


@pytest.mark.parametrize(
    ("data", "saying"),
    [
        (b'\xef\xbb\xbf{"a": 1}', "byte order mark"),
        (b'{"a": "\xff"}', r"is not UTF-8 \(byte 7\)"),
        (b'{"a": "\xed\xa0\x80"}', "is not UTF-8"),  # a surrogate in the form that is no UTF-8
        (b'{"a": "\xc0\xaf"}', "is not UTF-8"),  # an overlong form
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
    ],
)
def test_rule_1_utf_8_without_a_mark(data: bytes, saying: str) -> None:
    refused(data, saying)


def test_rule_1_size() -> None:
    assert read_json(b"[1,2,3]", where="a.json", max_bytes=7) == [1, 2, 3]
    refused(b"[1,2,3]", "is 7 bytes; at most 6 are read", max_bytes=6)


@pytest.mark.parametrize(
    "data",
    [
        b'{"result": "FAILED", "result": "PASSED"}',
        b'{"a": {"b": [{"c": 1, "d": 2, "c": 1}]}}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"": 1, "": 1}',
    ],
)
def test_rule_2_no_key_twice(data: bytes) -> None:
    refused(data, "twice in one object")


def test_rule_2_keys_that_only_look_alike_are_two() -> None:
    composed, decomposed = "\u00e9", "e\u0301"
    data = json.dumps({composed: 1, decomposed: 2}).encode()
    assert read_json(data, where="a.json") == {composed: 1, decomposed: 2}


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" + "0" * 400 + ".0"]
)
def test_rule_3_no_number_that_is_none(text: str) -> None:
    refused(b'{"a": [' + text.encode() + b"]}", "is not JSON|too large")


@pytest.mark.parametrize(
    "text",
    [
        str(2**53),
        str(-(2**53)),
        "1" + "0" * 30,
        "9" * 1_000_000,
        str(2**64),
        # These are floats, whose canonical form is an integer outside the range.
        "9007199254740992.0",
        "1e17",
        "-123456789e12",
        "9.99e20",
    ],
)
def test_rule_4_no_integer_that_others_read_as_another(text: str) -> None:
    refused(b'{"a": ' + text.encode() + b"}", r"outside ±\(2\^53-1\)")


@pytest.mark.parametrize("number", [2**53 - 1, -(2**53 - 1), 0, 1e21, -1e300, 5e-324, 0.1])
def test_rule_4_what_is_within_stays_the_same_number(number: float) -> None:
    data = canonical([number])
    assert read_json(data, where="a.json") == [number]
    assert canonical(read_json(data, where="a.json")) == data


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 100_000])
def test_rule_5_depth(opening: str, closing: str, depth: int) -> None:
    middle = "" if opening == "[" else "1"
    data = (opening * depth + middle + closing * depth).encode()
    refused(data, f"nested more than {MAX_DEPTH} deep")


def test_rule_5_the_greatest_depth_is_read() -> None:
    assert read_json(nested(MAX_DEPTH, "[", "]"), where="a.json")


@pytest.mark.parametrize(
    "data", [b'"\\ud800"', b'{"\\udfff": 1}', b'[["a", {"b": "x\\ud83dx"}]]', b'"\\ude00\\ud83d"']
)
def test_rule_6_no_lone_surrogate(data: bytes) -> None:
    refused(data, "lone surrogate")


def test_rule_6_a_pair_is_one_character() -> None:
    assert read_json(b'"\\ud83d\\ude00"', where="a.json") == "\U0001f600"


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"{", b"[1,]", b'{"a" 1}', b"{'a': 1}", b"tru", b"1 2", b"01", b"+1", b".5",
     b'"\x00"', b'"\t"', b"\xa0[]"],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(InputError, match=r"is not JSON|is not UTF-8"):
        read_json(data, where="a.json")


@pytest.mark.parametrize("data", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_only_an_object_is_an_object(data: bytes) -> None:
    assert read_object(b"{}", where="a.json") == {}
    with pytest.raises(InputError, match="is not a JSON object"):
        read_object(data, where="a.json")


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@example(b"\x00")
@example(b"[" * 3000)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = read_json(data, where="a.json")
    except InputError:
        return
    assert read_json(canonical(value), where="a.json") == value


# Expected forms are those of RFC 8785 itself: section 3.2.2, section 3.2.3 and appendix B.
ESCAPES: JsonValue = {
    "numbers": [333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
    "literals": [None, True, False],
}
ESCAPED = r"""
{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],
"string":"€$\u000f\nA'B\"\\\\\"/"}
"""
KEYS: JsonValue = {
    "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7,
}  # fmt: skip
SORTED = """
{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}
"""


@pytest.mark.parametrize(("value", "form"), [(ESCAPES, ESCAPED), (KEYS, SORTED)])
def test_writing_is_rfc_8785(value: JsonValue, form: str) -> None:
    assert canonical(value).decode() == form.replace("\n", "")


@pytest.mark.parametrize(
    ("bits", "form"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
    ],
)
def test_numbers_are_written_as_rfc_8785_lists_them(bits: str, form: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(number).decode() == form


@settings(deadline=None)
@given(JSON_VALUES, st.randoms())
def test_equal_values_have_equal_bytes(value: Any, random: Any) -> None:
    def shuffled(node: Any) -> Any:
        if isinstance(node, list):
            return [shuffled(child) for child in node]
        if isinstance(node, dict):
            keys = list(node)
            random.shuffle(keys)
            return {key: shuffled(node[key]) for key in keys}
        return node

    assert canonical(shuffled(value)) == canonical(value)
    assert canonical(json.loads(json.dumps(value))) == canonical(value)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), LARGEST + 1, "\ud800", {"\ud800": 1}]
)
def test_what_has_no_canonical_form_is_an_error_of_ours(value: JsonValue) -> None:
    with pytest.raises(InputError, match="has no canonical form") as caught:
        canonical(value)
    assert caught.value.next_step


def test_a_content_address_is_the_sha_256() -> None:
    assert content_digest(b"abc") == "sha256:" + hashlib.sha256(b"abc").hexdigest()
    # FIPS 180-4's first example
    assert content_digest(b"abc").endswith(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
