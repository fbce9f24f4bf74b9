"""FHIRPath Patch: values of every kind, choices, primitives with extensions, strict refusals."""

from copy import deepcopy
from typing import Any

import pytest

from ehr.errors import Invalid, Unprocessable
from ehr.patches import fhirpath_patch

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "active": True,
    "birthDate": "1970-01-01",
    "_birthDate": {"id": "b", "extension": [{"url": "urn:x", "valueInteger": 1}]},
    "name": [{"given": ["A", "B", None], "_given": [None, None, {"id": "c"}]}, {"family": "F"}],
    "deceasedBoolean": False,
    "contact": [{"name": {"text": "x"}}],
}


def _patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "operation", "part": [_part(name, value) for name, value in each.items()]}
            for each in operations
        ],
    }


def _part(name: str, value: Any) -> dict[str, Any]:
    if name == "value":
        return {"name": "value", **value}
    if name == "type":
        return {"name": name, "valueCode": value}
    return {"name": name, "valueInteger" if isinstance(value, int) else "valueString": value}


def _apply(**operation: Any) -> dict[str, Any]:
    return fhirpath_patch.apply(deepcopy(PATIENT), _patch(operation))


def test_add_appends_to_a_list_and_sets_what_is_missing() -> None:
    added = _apply(type="add", path="Patient", name="name", value={"valueHumanName": {"text": "T"}})
    gender = _apply(type="add", path="Patient", name="gender", value={"valueCode": "male"})

    assert added["name"] == [*PATIENT["name"], {"text": "T"}]
    assert gender == {**PATIENT, "gender": "male"}


def test_add_of_a_choice_takes_either_name() -> None:
    value = {"valueInteger": 2}

    for name in ("multipleBirth", "multipleBirthInteger", "multipleBirth[x]"):
        assert _apply(type="add", path="Patient", name=name, value=value) == {
            **PATIENT,
            "multipleBirthInteger": 2,
        }


def test_a_backbone_is_built_from_parts() -> None:
    parts = [
        {"name": "relationship", "valueCodeableConcept": {"text": "r1"}},
        {"name": "relationship", "valueCodeableConcept": {"text": "r2"}},
        {"name": "gender", "valueCode": "female", "_valueCode": {"id": "g"}},
        {"name": "name", "part": [{"name": "given", "valueString": "N"}]},
    ]

    patched = _apply(type="add", path="Patient", name="contact", value={"part": parts})

    assert patched["contact"][1] == {
        "relationship": [{"text": "r1"}, {"text": "r2"}],
        "gender": "female",
        "_gender": {"id": "g"},
        "name": {"given": ["N"]},
    }


def test_a_resource_is_added_to_contained() -> None:
    value = {"resource": {"resourceType": "Organization", "id": "o"}}

    patched = _apply(type="add", path="Patient", name="contained", value=value)

    assert patched["contained"] == [{"resourceType": "Organization", "id": "o"}]


def test_an_extension_is_added_to_a_primitive() -> None:
    parts = [{"name": "url", "valueUri": "urn:y"}, {"name": "value", "valueCode": "z"}]
    value = {"part": parts}

    date = _apply(type="add", path="Patient.birthDate", name="extension", value=value)
    given = _apply(type="add", path="Patient.name[0].given[1]", name="extension", value=value)

    assert [each["url"] for each in date["_birthDate"]["extension"]] == ["urn:x", "urn:y"]
    extension = {"extension": [{"url": "urn:y", "valueCode": "z"}]}
    assert given["name"][0]["_given"] == [None, extension, {"id": "c"}]


def test_replace_of_a_choice_changes_the_member_in_place() -> None:
    value = {"valueDateTime": "2020-01-01"}

    patched = _apply(type="replace", path="Patient.deceased", value=value)

    assert patched["deceasedDateTime"] == "2020-01-01"
    assert list(patched)[-2:] == ["deceasedDateTime", "contact"]


def test_replace_of_a_primitive_takes_its_extensions_away() -> None:
    patched = _apply(type="replace", path="birthDate", value={"valueDate": "1971-01-01"})

    assert patched["birthDate"] == "1971-01-01"
    assert "_birthDate" not in patched


def test_primitive_lists_and_their_extensions_move_together() -> None:
    deleted = _apply(type="delete", path="Patient.name[0].given[0]")["name"][0]
    moved = _apply(type="move", path="Patient.name[0].given", source=2, destination=0)["name"][0]
    inserted = _apply(
        type="insert", path="Patient.name[0].given", index=3, value={"valueString": "D"}
    )["name"][0]

    assert deleted == {"given": ["B", None], "_given": [None, {"id": "c"}]}
    assert moved == {"given": [None, "A", "B"], "_given": [{"id": "c"}, None, None]}
    assert inserted["given"] == ["A", "B", None, "D"]
    assert inserted["_given"] == [None, None, {"id": "c"}, None]


def test_deleting_an_extension_keeps_the_value() -> None:
    patched = _apply(type="delete", path="Patient.birthDate.extension('urn:x')")

    assert patched["birthDate"] == "1970-01-01"
    assert patched["_birthDate"] == {"id": "b"}


def test_delete_leaves_no_empty_object_behind() -> None:
    patched = _apply(type="delete", path="Patient.contact.name.text")

    assert "contact" not in patched


def test_delete_of_nothing_is_no_error() -> None:
    assert _apply(type="delete", path="Patient.address.where(use = 'old')") == PATIENT


def test_insert_into_a_list_that_is_not_there() -> None:
    value = {"valueIdentifier": {"value": "1"}}

    patched = _apply(type="insert", path="Patient.identifier", index=0, value=value)

    assert patched["identifier"] == [{"value": "1"}]


def test_insert_among_the_extensions_of_a_primitive() -> None:
    value = {"part": [{"name": "url", "valueUri": "urn:y"}]}

    active = _apply(type="insert", path="Patient.active.extension", index=0, value=value)
    date = _apply(type="insert", path="Patient.birthDate.extension", index=0, value=value)

    assert active["_active"] == {"extension": [{"url": "urn:y"}]}
    assert [each["url"] for each in date["_birthDate"]["extension"]] == ["urn:y", "urn:x"]


def test_later_operations_see_earlier_ones() -> None:
    patch = _patch(
        {
            "type": "add",
            "path": "Patient",
            "name": "photo",
            "value": {"valueAttachment": {"title": "a"}},
        },
        {"type": "replace", "path": "Patient.photo.title", "value": {"valueString": "b"}},
    )

    assert fhirpath_patch.apply(PATIENT, patch)["photo"] == [{"title": "b"}]


TEXT = {"valueString": "x"}
UNFITTING = {
    "nothing there": {"type": "replace", "path": "Patient.gender", "value": {"valueCode": "male"}},
    "several": {"type": "delete", "path": "Patient.name"},
    "there already": {
        "type": "add", "path": "Patient", "name": "active", "value": {"valueBoolean": True},
    },
    "other choice there": {
        "type": "add", "path": "Patient", "name": "deceased", "value": {"valueDateTime": "2020"},
    },
    "wrong type": {"type": "replace", "path": "Patient.active", "value": TEXT},
    "wrong complex type": {"type": "add", "path": "Patient", "name": "name", "value": TEXT},
    "no such element": {"type": "add", "path": "Patient", "name": "colour", "value": TEXT},
    "no such part": {
        "type": "add", "path": "Patient", "name": "contact",
        "value": {"part": [{"name": "colour", **TEXT}]},
    },
    "part twice": {
        "type": "add", "path": "Patient", "name": "contact",
        "value": {"part": [{"name": "gender", "valueCode": "male"}] * 2},
    },
    "no value": {"type": "add", "path": "Patient", "name": "gender", "value": {}},
    "null": {"type": "add", "path": "Patient", "name": "name", "value": {"valueHumanName": None}},
    "two values": {
        "type": "add", "path": "Patient", "name": "gender", "value": {"valueCode": "a", **TEXT},
    },
    "unknown value": {
        "type": "add", "path": "Patient", "name": "gender", "value": {"valueColour": "red"},
    },
    "index too high": {
        "type": "insert", "path": "Patient.name", "index": 3, "value": {"valueHumanName": {}},
    },
    "negative index": {
        "type": "insert", "path": "Patient.name", "index": -1, "value": {"valueHumanName": {}},
    },
    "insert into no list": {
        "type": "insert", "path": "Patient.active", "index": 0, "value": {"valueBoolean": True},
    },
    "part of a list": {"type": "move", "path": "Patient.name[0]", "source": 0, "destination": 0},
    "move too far": {"type": "move", "path": "Patient.name", "source": 0, "destination": 2},
    "the root": {"type": "delete", "path": "Patient"},
    "replace the root": {
        "type": "replace", "path": "Patient", "value": {"resource": {"resourceType": "Patient"}},
    },
    "no element": {"type": "replace", "path": "'x'", "value": TEXT},
    "type of an element": {"type": "replace", "path": "Patient.type().name", "value": TEXT},
    "evaluation fails": {"type": "delete", "path": "Patient.name.single()"},
    "add to a primitive": {"type": "add", "path": "Patient.active", "name": "value", "value": TEXT},
    "no resource": {
        "type": "add", "path": "Patient", "name": "contained", "value": {"resource": {"id": "1"}},
    },
}  # fmt: skip


@pytest.mark.parametrize("operation", UNFITTING.values(), ids=UNFITTING.keys())
def test_a_patch_that_does_not_fit_is_unprocessable(operation: dict[str, Any]) -> None:
    before = deepcopy(PATIENT)

    with pytest.raises(Unprocessable, match="Patch operation 0") as caught:
        fhirpath_patch.apply(PATIENT, _patch(operation))

    assert caught.value.issues[0].expression
    assert before == PATIENT


MALFORMED: dict[str, Any] = {
    "no object": [],
    "other resource": {"resourceType": "Patient"},
    "no list": {"resourceType": "Parameters", "parameter": {}},
    "other parameter": {"resourceType": "Parameters", "parameter": [{"name": "x"}]},
    "no parts": {"resourceType": "Parameters", "parameter": [{"name": "operation"}]},
    "unknown type": _patch({"type": "merge", "path": "Patient"}),
    "no path": _patch({"type": "delete"}),
    "path is no text": _patch({"type": "delete", "path": 5}),
    "bad path": _patch({"type": "delete", "path": "Patient..name"}),
    "unknown function": _patch({"type": "delete", "path": "Patient.names()"}),
    "no value": _patch({"type": "replace", "path": "Patient.active"}),
    "index is text": _patch(
        {"type": "insert", "path": "Patient.name", "index": "1", "value": TEXT}
    ),
    "too much": _patch({"type": "delete", "path": "Patient.active", "name": "x"}),
    "unknown part": _patch({"type": "delete", "path": "Patient.active", "colour": "x"}),
    "too many": _patch(*[{"type": "delete", "path": "Patient.active"}] * 1001),
}


@pytest.mark.parametrize("patch", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_patch_is_invalid(patch: Any) -> None:
    with pytest.raises(Invalid):
        fhirpath_patch.apply(PATIENT, patch)


def test_a_wrong_type_says_which_one_is_right() -> None:
    with pytest.raises(Unprocessable, match=r"Patient.active takes valueBoolean, not valueString"):
        _apply(type="replace", path="Patient.active", value=TEXT)
