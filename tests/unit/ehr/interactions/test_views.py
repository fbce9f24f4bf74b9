"""`_summary` and `_elements` on what is read."""

import pytest

from ehr.errors import Invalid
from ehr.interactions.views import WHOLE, View, apply_view, wanted_view
from ehr.messages import Interaction, Preferences, Resource

PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "1",
    "text": {"status": "generated", "div": "<div>…</div>"},
    "active": True,
    "photo": [{"title": "x"}],
}


def reading(name: str = "read", type: str | None = "Patient", **params: str) -> Interaction:
    return Interaction(name=name, type=type, params=tuple(params.items()))


@pytest.mark.parametrize(
    ("interaction", "expected"),
    [
        (reading(), WHOLE),
        (reading(_summary="false"), WHOLE),
        (reading(_summary="true"), View("true")),
        (reading(_elements="active, photo,"), View(None, ("active", "photo"))),
        (reading("search-type", _summary="true"), WHOLE),
        (reading("search-type", _elements="nonsense"), WHOLE),
        (reading("history-system", None, _summary="count"), WHOLE),
        (reading("history-system", None, _elements="anything"), View(None, ("anything",))),
        (reading("update", _summary="true"), WHOLE),
    ],
)
def test_wanted(interaction: Interaction, expected: View) -> None:
    assert wanted_view(interaction) == expected


@pytest.mark.parametrize(
    ("interaction", "hint"),
    [
        (reading(_summary="yes"), "Choose true"),
        (reading(_summary="count"), "Choose true"),
        (reading(_elements="activ"), "Did you mean `active`"),
        (reading(_elements="nonsense"), "Supported: active, address"),
        (reading(_elements="name.family"), "Did you mean `name`"),
    ],
)
def test_nonsense_is_refused(interaction: Interaction, hint: str) -> None:
    with pytest.raises(Invalid, match=hint):
        wanted_view(interaction)


def test_lenient_callers_may_name_what_is_not_there() -> None:
    lenient = Interaction(
        name="read",
        type="Patient",
        params=(("_elements", "activ"),),
        preferences=Preferences(lenient=True),
    )

    assert wanted_view(lenient) == WHOLE


def test_one_resource() -> None:
    part = apply_view(PATIENT, View(None, ("active",)), reading())

    assert set(part) == {"resourceType", "id", "meta", "active"}
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_entries_of_a_bundle_but_not_what_is_included() -> None:
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "entry": [
            {"fullUrl": "x", "resource": PATIENT, "search": {"mode": "match"}},
            {"resource": PATIENT, "search": {"mode": "include"}},
            {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
            {"response": {"status": "204"}},
        ],
    }

    part = apply_view(bundle, View(None, ("active",)), reading("history-type"))

    assert part["total"] == 1
    assert part["entry"][0]["fullUrl"] == "x"
    assert "photo" not in part["entry"][0]["resource"]
    assert part["entry"][1]["resource"] == PATIENT
    assert part["entry"][2:] == bundle["entry"][2:]
    assert "photo" in PATIENT


def test_a_bundle_that_is_read_is_a_resource_itself() -> None:
    bundle: Resource = {"resourceType": "Bundle", "id": "1", "type": "document", "entry": [{}]}

    part = apply_view(bundle, View(None, ("type",)), reading(type="Bundle"))

    assert "entry" not in part
