"""Token parameters: rows of each type, implicit systems, forms of a value, refusals."""

import pytest
import sqlalchemy

from ehr.errors import Invalid
from ehr.search.parameters import token_texts
from ehr.store import tables
from fhir_profiles.definitions import resource_types
from fhir_profiles.extraction import leaves
from fhir_profiles.identity import stable_id
from fhir_profiles.search_parameters import for_type
from tests.unit.ehr.search.search_rows import HASHER, condition, of_param, param, rows_of, sql

GENDER = "http://hl7.org/fhir/administrative-gender"


def hashed(code: str | None, system: str | None) -> tuple[int, int, str | None]:
    """Return the row of a token without its parameter."""
    return HASHER.text(code) if code else 0, HASHER.text(system) if system else 0, code


def test_concept_gives_a_row_for_each_coding() -> None:
    coding = [{"system": "s", "code": "a"}, {"code": "b"}, {"system": "t"}, {"display": "only"}]
    rows = rows_of({"resourceType": "Observation", "code": {"coding": coding, "text": "x"}})

    expected = [hashed("a", "s"), hashed("b", None), hashed(None, "t"), hashed(None, None)]
    assert of_param(rows.token, "Observation.code") == expected
    assert of_param(rows.token, "Observation.combo-code") == expected


def test_code_takes_the_system_of_its_required_binding() -> None:
    rows = rows_of({"resourceType": "Patient", "gender": "male"})

    assert of_param(rows.token, "Patient.gender") == [hashed("male", GENDER)]


def test_boolean_is_true_or_false_without_a_system() -> None:
    for value in (True, False):
        rows = rows_of({"resourceType": "Patient", "active": value})

        assert of_param(rows.token, "Patient.active") == [hashed(str(value).lower(), None)]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2020"}, "true"),
        ({"_deceasedBoolean": {"id": "x"}}, "false"),
    ],
)
def test_deceased_is_always_answered(members: dict[str, object], expected: str) -> None:
    rows = rows_of({"resourceType": "Patient", **members})

    assert of_param(rows.token, "Patient.deceased") == [hashed(expected, None)]


def test_identifier_is_also_noted_for_the_locator() -> None:
    identifiers = [{"system": "s", "value": "1"}, {"value": "2"}, {"system": "t"}, {"use": "old"}]
    rows = rows_of({"resourceType": "Patient", "identifier": identifiers})

    assert of_param(rows.token, "Patient.identifier") == [
        hashed("1", "s"),
        hashed("2", None),
        hashed(None, "t"),
        hashed(None, None),
    ]
    assert rows.identifier == [(HASHER.text("1"), "s|1"), (HASHER.text("2"), "|2")]


def test_other_identifiers_are_not_noted_for_the_locator() -> None:
    rows = rows_of(
        {"resourceType": "Composition", "relatesTo": [{"targetIdentifier": {"value": "1"}}]}
    )

    assert len(of_param(rows.token, "Composition.related-id")) == 1
    assert rows.identifier == []


def test_telecom_parameters_keep_their_own_system() -> None:
    telecom = [{"system": "phone", "value": "01"}, {"system": "email", "value": "a@b"}, {"rank": 1}]
    rows = rows_of({"resourceType": "Patient", "telecom": telecom})

    assert of_param(rows.token, "Patient.phone") == [hashed("01", None)]
    assert of_param(rows.token, "Patient.email") == [hashed("a@b", None)]
    assert len(of_param(rows.token, "Patient.telecom")) == 2


def test_null_in_a_list_of_codes_is_passed_over() -> None:
    rows = rows_of(
        {"resourceType": "AllergyIntolerance", "category": ["food", None], "_category": [None, {}]}
    )

    assert len(of_param(rows.token, "AllergyIntolerance.category")) == 1


def test_the_text_to_sort_by_is_bounded() -> None:
    rows = rows_of({"resourceType": "Patient", "identifier": [{"value": "9" * 5000}]})

    assert of_param(rows.token, "Patient.identifier")[0][2] == "9" * 64


def test_tags_and_security_labels_have_rows_but_id_has_none() -> None:
    meta = {"tag": [{"code": "t"}], "security": [{"code": "R"}]}
    rows = rows_of({"resourceType": "Basic", "id": "b", "meta": meta})

    assert of_param(rows.token, "Basic._tag") == [hashed("t", None)]
    assert of_param(rows.token, "Basic._security") == [hashed("R", None)]
    assert param("Basic._id") not in {row[0] for row in rows.token}


@pytest.mark.parametrize("value", ["", " ", "|", "a|b|c", "\x00", "a\x00", "\ud800", "x" * 9000])
def test_malformed_token_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="gender"):
        sql("Patient", "gender", value)


def test_bar_comma_and_backslash_can_be_escaped() -> None:
    escaped = sql("Patient", "identifier", r"a\|b\,c\\d\$e")

    assert str(HASHER.text("a|b,c\\d$e")) in escaped


def test_alternatives_are_one_list() -> None:
    text = sql("Patient", "gender", "male,female,other")

    assert text.count("token") == sql("Patient", "gender", "male").count("token")
    assert text.count("code IN (") == 1


def test_subquery_equates_the_key_and_the_row() -> None:
    in_patient = sql("Patient", "gender", "male", patient_keys=(4, 9))
    across = sql("Patient", "identifier", "1")
    common = sql("Patient", "gender", "male")

    for listed in (in_patient, across):
        assert '("row".patient_key, "row".rid) IN (SELECT' in listed
    assert "patient_key IN (4, 9)" in in_patient
    assert 'patient_key = "row".patient_key' in common
    assert 'rid = "row".rid' in common


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Patient.identifier", "s{0}|v{0}"),
        ("Patient.birthdate", "ge{0:04}-01-01"),
        ("Patient.family", "a{0}"),
        ("Patient.organization", "Organization/{0}/_history/{0}"),
        ("Observation.value-quantity", "{0}|s{0}|c{0}"),
        ("Patient._profile:below", "http://x/{0}"),
    ],
)
def test_a_thousand_alternatives_stay_within_the_engine(name: str, value: str) -> None:
    type, _, code = name.partition(".")
    values = ",".join(value.format(number) for number in range(1, 1001))
    row = tables.resource.alias()

    engine = sqlalchemy.create_engine("sqlite://")
    tables.metadata.create_all(engine)
    with engine.connect() as connection:
        found = connection.execute(sqlalchemy.select(row).where(condition(row, type, code, values)))
        assert found.all() == []
    engine.dispose()


@pytest.mark.parametrize("modifier", ["exact", "contains", "text", "of-type", "Patient"])
def test_unsupported_modifier_names_the_ones_there_are(modifier: str) -> None:
    with pytest.raises(Invalid, match=":missing, :not"):
        sql("Patient", f"gender:{modifier}", "male")


@pytest.mark.parametrize("value", ["maybe", "TRUE", "1", "true,false"])
def test_missing_takes_true_or_false(value: str) -> None:
    with pytest.raises(Invalid, match="true or false"):
        sql("Patient", "gender:missing", value)


def test_ids_of_rows_beside_codes_are_no_others() -> None:
    parameters = [each for type in resource_types() for each in for_type(type).values()]
    own = {each.param_id for each in parameters}
    beside = [
        {(id, what, leaf.path if leaf.by_path else parameter.param_id)}
        for parameter in parameters
        if parameter.kind == "token"
        for leaf in leaves(parameter)
        for what in ("text", "of-type", "base")
        for id in token_texts.beside(leaf, what)((parameter.param_id,))
    ]
    named = set().union(*beside)

    assert len({id for id, _, _ in named}) == len(named)
    assert not own & {id for id, _, _ in named}


def test_texts_beside_codes_stand_once_for_all_parameters() -> None:
    code = {"text": "Heart rate", "coding": [{"code": "8867-4", "display": "Heart Rate"}]}
    rows = rows_of({"resourceType": "Observation", "code": code})

    assert set(rows.string) == {(stable_id("Observation.code:text"), "heart rate", None, None)}
