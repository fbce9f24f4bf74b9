"""Redirect addresses: registered character by character; loopback ports alone may differ (T1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.apps import redirects

REGISTERED = (
    "https://app.example.org/back",
    "https://app.example.org/other?a=b",
    "http://127.0.0.1:4000/back",
    "http://[::1]/back",
    "org.example.app:/back",
)


@pytest.mark.parametrize(
    "uri",
    [
        *REGISTERED,
        "http://127.0.0.1/back",
        "http://127.0.0.1:65000/back",
        "http://[::1]:9/back",
    ],
)
def test_a_registered_address_is_taken(uri: str) -> None:
    assert redirects.is_registered(uri, REGISTERED)
    assert redirects.fault(uri) is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://app.example.org/back/",
        "https://app.example.org/back?a=b",
        "https://app.example.org/back#x",
        "https://app.example.org:443/back",
        "https://APP.example.org/back",
        "https://app.example.org/back/../back",
        "https://app.example.org/%62ack",
        "https://app.example.org.evil.example/back",
        "https://app.example.org@evil.example/back",
        "http://app.example.org/back",
        "http://127.0.0.1:4000/back/more",
        "http://127.0.0.1:4000@evil.example/back",
        "http://127.0.0.1:99999/back",
        "http://127.0.0.1:/back",
        "http://127.0.0.2:4000/back",
        "http://localhost:4000/back",
        "https://127.0.0.1:4000/back",
        "http://127.0.0.1:4000/back#x",
        "http://[::1]:4000/other",
        "org.example.app:/back/",
        "org.example.app://evil/back",
        "ORG.example.app:/back",
    ],
)
def test_t01_any_other_is_not(uri: str) -> None:
    assert not redirects.is_registered(uri, REGISTERED)


@given(st.text(max_size=60))
def test_t01_whatever_is_no_registered_address_is_refused(text: str) -> None:
    assert redirects.is_registered(text, REGISTERED) == (text in REGISTERED)


@given(scheme=st.from_regex(r"\A[a-zA-Z][a-zA-Z0-9+-]*\Z"), rest=st.text(max_size=20))
def test_t01_no_scheme_that_a_browser_knows_can_be_registered(scheme: str, rest: str) -> None:
    if scheme.lower() not in ("https", "http"):
        assert redirects.fault(f"{scheme}:{rest}") is not None


def test_a_fault_does_not_repeat_the_address() -> None:
    assert "secret" not in (redirects.fault("http://secret.example/") or "")
