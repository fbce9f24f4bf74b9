"""Codes of an app: by the test vectors of RFC 6238, and what the picture for the app says."""

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from auth.sign_in import one_time_codes

# RFC 6238 Appendix B, SHA-1, the last six of eight digits
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert one_time_codes.matching_step(SECRET, code, seconds * 1000) == seconds // 30


@pytest.mark.parametrize("typed", ["287 082", "287-082", " 287082 "])
def test_a_code_may_be_typed_as_the_app_shows_it(typed: str) -> None:
    assert one_time_codes.matching_step(SECRET, typed, 59_000) == 1


@pytest.mark.parametrize("typed", ["", "287083", "2870820", "28708", "٢٨٧٠٨٢", "None"])
def test_anything_else_is_no_code(typed: str) -> None:
    assert one_time_codes.matching_step(SECRET, typed, 59_000) is None


@pytest.mark.parametrize(
    ("later", "step"), [(-30, 41152263), (30, 41152263), (-60, None), (60, None)]
)
def test_a_code_is_good_in_the_steps_beside_its_own(later: int, step: int | None) -> None:
    assert one_time_codes.matching_step(SECRET, "005924", (1234567890 + later) * 1000) == step


def test_the_picture_says_whose_code_it_is() -> None:
    parts = urlsplit(one_time_codes.address_of(SECRET, "mary@example.org"))

    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Shared Care Record:mary@example.org"
    assert parse_qs(parts.query)["secret"] == [SECRET]


def test_secrets_have_160_bits() -> None:
    assert len(base64.b32decode(one_time_codes.new_secret())) == 20
