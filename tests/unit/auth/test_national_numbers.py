"""NHS and CHI numbers: the digit that checks, and the date that a CHI number begins with."""

import pytest

from auth.joining.national_numbers import CHI, NHS, fault, plain


@pytest.mark.parametrize("number", ["9434765919", "9876543210", "4010232137"])
def test_numbers_with_a_digit_that_fits(number: str) -> None:
    assert fault(NHS, number, "1948-02-28") is None


def test_any_one_digit_changed_is_found() -> None:
    for at in range(10):
        for digit in set("0123456789") - {"9434765919"[at]}:
            changed = f"{'9434765919'[:at]}{digit}{'9434765919'[at + 1 :]}"
            assert fault(NHS, changed, "1948-02-28") is not None, changed


def test_a_number_whose_check_would_be_ten_is_none() -> None:
    assert all(fault(NHS, f"280248012{digit}", "1948-02-28") for digit in range(10))


def test_a_chi_number_begins_with_the_date_of_birth() -> None:
    assert fault(CHI, "2802480138", "1948-02-28") is None
    assert fault(CHI, "2802480138", "1948-02-27") is not None
    assert fault(CHI, "2802480139", "1948-02-28") is not None


def test_spaces_and_hyphens_do_not_matter() -> None:
    assert plain(" 943 476-5919 ") == "9434765919"
