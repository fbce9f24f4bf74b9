"""Writes that get as far as their commit, and are taken back there: the world is asked again.

The refusal stands behind all that the record judges of a write, and ahead of what tells of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from ehr.errors import Conflict
from ehr.interactions import applying, sharing

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

_SAID = "Nothing speaks against this write, which the leak suite takes back."


@contextmanager
def stopped() -> Iterator[None]:
    """Refuse each write that would be committed."""
    with (
        # What comes last inside the transaction; a write by itself goes there as one of several.
        patch.object(applying, "_do_then", _refuse),
        patch.object(sharing, "part_of", lambda *_: None),
    ):
        yield


def would_be_committed(response: "TestResponse") -> bool:
    """Tell whether a write was refused for nothing but that it would have been committed."""
    return _SAID in response.get_data(as_text=True)


def _refuse(*_: Any) -> None:
    raise Conflict(_SAID)
