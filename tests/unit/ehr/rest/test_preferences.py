"""Prefer and the conditional headers."""

import pytest

from ehr.errors import Invalid
from ehr.messages import Preconditions, Preferences
from ehr.rest.preferences import http_date, preconditions, preferences


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("", Preferences()),
        ("return=minimal", Preferences("minimal")),
        ("RETURN=Minimal", Preferences("minimal")),
        ('return="OperationOutcome"', Preferences("OperationOutcome")),
        ("return=representation; handling=lenient", Preferences("representation", lenient=True)),
        ("handling=lenient, return=minimal", Preferences("minimal", lenient=True)),
        ("handling=strict, handling=lenient", Preferences()),
        ("return=everything, respond-async, x", Preferences(is_async=True)),
    ],
)
def test_prefer(prefer: str, expected: Preferences) -> None:
    assert preferences(prefer) == expected


def test_conditional_headers() -> None:
    found = preconditions(
        {
            "HTTP_IF_MATCH": 'W/"3"',
            "HTTP_IF_NONE_MATCH": "*",
            "HTTP_IF_MODIFIED_SINCE": "Tue, 14 Nov 2023 22:13:20 GMT",
            "HTTP_IF_UNMODIFIED_SINCE": "Tue, 14 Nov 2023 22:13:21 GMT",
            "HTTP_IF_NONE_EXIST": " identifier=a|b ",
        }
    )

    assert found == Preconditions(
        ("3",), ("*",), 1_700_000_000_000, 1_700_000_001_000, "identifier=a|b"
    )


def test_an_empty_if_none_exist_is_refused() -> None:
    with pytest.raises(Invalid, match="If-None-Exist"):
        preconditions({"HTTP_IF_NONE_EXIST": " "})


@pytest.mark.parametrize(
    "text", ["", "yesterday", "Tue, 14 Nov", "Tue, 99 Nov 2023 22:13:20 GMT",
             "Tue, 14 Nov 99999 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 +9999"],
)  # fmt: skip
def test_a_date_that_is_none_is_ignored(text: str) -> None:
    assert http_date(text) is None
