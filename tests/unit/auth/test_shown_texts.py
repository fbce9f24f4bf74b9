"""What strangers call themselves: nothing unseen, nothing turned round, not our own name (T7)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.apps import shown_texts

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@pytest.mark.parametrize(
    "name",
    ["Growth Charts", "  Growth Charts ", "Émilie's 医療 アプリ", "x" * 80, "Dr. O'Neil & Co", "7",
     "NHS <b>App</b>", "Care Records", "Record of shared care"],
)  # fmt: skip
def test_such_names_are_taken(name: str) -> None:
    assert shown_texts.fault_of_name(name) is None


@pytest.mark.parametrize(
    "name",
    ["", "  ", "x" * 81, "a\nb", "a\tb", "a\x00b", "a\u202eb", "a\u200bb", "a\ufeffb", "a\u2028b",
     "a\u2029b", "a\ue000b", "a\U000e0041b", "a\ufdd0b", "a\udc80b", "\u3164", "a\u115fb",
     "a\u2800b", "!?", "\u00ad"],
)  # fmt: skip
def test_t07_names_that_hide_something_are_not(name: str) -> None:
    assert shown_texts.fault_of_name(name) is not None


@pytest.mark.parametrize(
    "name",
    ["Shared Care Record", "shared care record", "SHAREDCARERECORD", "\uff33\uff48ared Care Record",
     "Shared\u00a0Care\u2009Record", "Shared-Care-Record", "Shared Care Record sign-in",
     "The Shåred Cáre Record", "Sh\u0430r\u0435d C\u0430re Rec\u043erd", "Shared Care Rec0rd",
     "\U0001d412\U0001d421ared Care Record"],
)  # fmt: skip
def test_t07_nobody_is_called_as_this_server_is(name: str) -> None:
    assert shown_texts.fault_of_name(name) == "is like the name of this server"


@given(st.text(max_size=100))
def test_t07_what_is_taken_holds_nothing_that_is_not_seen(name: str) -> None:
    if shown_texts.fault_of_name(name) is None:
        assert not {unicodedata.category(one) for one in name.strip()} & set(HIDDEN)
        assert 1 <= len(name.strip()) <= 80
