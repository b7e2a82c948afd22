"""Tests of the references: against outside implementations, and of what every reference promises."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest


def assert_refused(function: Callable[..., Any], arguments: Mapping[str, Any], name: str, came: str) -> None:
    """The call raises a `ValueError` that begins with the argument's name, shows what came, and says what was expected."""
    with pytest.raises(ValueError) as refusal:
        function(**arguments)
    message = str(refusal.value)
    assert message.startswith(f"`{name}` "), message
    assert came in message, message
    assert "expected" in message, message
