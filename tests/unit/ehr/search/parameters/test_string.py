"""String parameters: folding, rows of names and addresses, long texts, forms of a search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.errors import Invalid
from ehr.search.parameters.string import KEY_LENGTH
from ehr.search.values.folding import fold
from tests.unit.ehr.search.search_rows import of_param, rows_of, sql


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("MacLeod", "macleod"),
        ("Mòrag", "morag"),
        ("ZOË", "zoe"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("ﬁnch", "finch"),
        ("İstanbul", "istanbul"),
        ("Ångström", "angstrom"),
        ("  a \t b\n", "a b"),
        ("東京", "東京"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("", ""),
    ],
)
def test_case_accents_and_spaces_do_not_count(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(categories=["L"]), max_size=8))
def test_upper_and_lower_case_fold_alike(text: str) -> None:
    # Some letters have no way back from their capital; those that have must agree.
    if text.upper().lower() == text.lower():
        assert fold(text.upper()) == fold(text.lower())


def test_every_part_of_a_name_has_a_row() -> None:
    name = {
        "family": "Ó Néill",
        "given": ["Ann", None, "Mary"],
        "prefix": ["Dr"],
        "suffix": ["MBE"],
        "text": "Dr Ann Ó Néill",
        "use": "official",
    }
    rows = rows_of({"resourceType": "Patient", "name": [name]})

    assert {row[0] for row in of_param(rows.string, "Patient.name")} == {
        "o neill",
        "ann",
        "mary",
        "dr",
        "mbe",
        "dr ann o neill",
    }
    assert of_param(rows.string, "Patient.family") == [("o neill", None, "Ó Néill")]
    assert [row[0] for row in of_param(rows.string, "Patient.given")] == ["ann", "mary"]


def test_every_part_of_an_address_has_a_row() -> None:
    address = {
        "line": ["1 High St", "Flat 2"],
        "city": "Nairn",
        "district": "Highland",
        "state": "Sco",
        "postalCode": "IV12 4AB",
        "country": "UK",
        "text": "all",
        "period": {"start": "2020"},
    }
    rows = rows_of({"resourceType": "Patient", "address": [address]})

    assert len(of_param(rows.string, "Patient.address")) == 8
    assert of_param(rows.string, "Patient.address-postalcode") == [("iv12 4ab", None, "IV12 4AB")]


def test_long_text_is_cut_in_the_key_and_kept_whole_beside_it() -> None:
    long = "a" * KEY_LENGTH + "b"
    rows = rows_of({"resourceType": "Organization", "name": long.upper()})

    assert of_param(rows.string, "Organization.name") == [(long[:KEY_LENGTH], long, long.upper())]


def test_text_that_folds_to_nothing_has_no_row() -> None:
    rows = rows_of({"resourceType": "Organization", "name": "  \u0301 "})

    assert rows.string == []


@pytest.mark.parametrize("value", ["", "   ", "\u0301", "\x00", "a" * 9000])
def test_value_without_letters_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="family"):
        sql("Patient", "family", value)


def test_contains_protects_what_patterns_use() -> None:
    assert "%" in sql("Patient", "family:contains", "50%_")
    assert "ESCAPE" in sql("Patient", "family:contains", "50%_")


@pytest.mark.parametrize("modifier", ["text", "not", "above", "EXACT", "Patient"])
def test_unsupported_modifier_names_the_ones_there_are(modifier: str) -> None:
    with pytest.raises(Invalid, match=":missing, :exact, :contains"):
        sql("Patient", f"family:{modifier}", "x")
