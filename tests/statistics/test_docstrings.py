# SPDX-License-Identifier: Apache-2.0
"""What can be demanded of the public functions' words by a machine."""

import inspect
import re
from collections.abc import Callable
from types import FunctionType

import pytest

import countermark.statistics as room

FUNCTIONS = [
    found for name in room.__all__ if isinstance(found := getattr(room, name), FunctionType)
]
public = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)


def test_every_name_is_there_once_and_explained() -> None:
    assert sorted(set(room.__all__)) == sorted(room.__all__)
    for name in room.__all__:
        found = getattr(room, name)
        if inspect.isclass(found) or inspect.isfunction(found):
            assert inspect.getdoc(found), name
            assert inspect.getmodule(found).__doc__, name


@public
def test_every_parameter_is_explained(function: Callable[..., object]) -> None:
    words = inspect.getdoc(function) or ""
    for name in inspect.signature(function).parameters:
        assert re.search(rf"\b{name}\b", words), name


@public
def test_a_function_that_raises_says_when(function: Callable[..., object]) -> None:
    source = inspect.getsource(function)
    if "raise StatisticsError" in source or "check_level(" in source:
        assert "Raises\n------\nStatisticsError\n" in (inspect.getdoc(function) or "")
