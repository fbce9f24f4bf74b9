"""The table of denials, a test for each row: what is hidden, from whom, and who is spared."""

from datetime import timedelta
from typing import Any

import pytest

from tests.policy.cases import (
    ANN,
    BEN,
    CARER,
    COUNCIL,
    MARY,
    PATIENT,
    PRACTICE,
    SYSTEM,
    WARD,
    actors,
    ben,
    consent,
    denial,
    encounter,
    labelled,
    of_mary,
    proxy,
    record,
    registered,
    sees,
    sent,
    staff,
)
from tests.policy.naive import Fact
from tests.policy.naive.vocabulary import (
    ACT_CODE,
    BREAK_GLASS_ALLOWED,
    CONFIDENTIALITY,
    PRIVACY_GROUP,
    RESOURCE_TYPES,
)
from tests.policy.world.making import NOW, concept, period, ref

COLLEAGUE = staff(person="Practitioner/colleague")
TYPE = {"class": [{"system": RESOURCE_TYPES, "code": "Observation"}]}
ITEM = {"data": [{"meaning": "instance", "reference": ref("Observation/x")}]}
NOT_LIFTED = {"extension": [{"url": BREAK_GLASS_ALLOWED, "valueBoolean": False}]}
GLASS = Fact("broken glass", ANN, MARY, NOW, NOW + timedelta(hours=4))


def _sees(
    said: dict[str, Any], name: str = "Observation/x", *, by: str | None = None,
    glass: bool = False, caller: Any = None, **more: Any,
) -> bool:  # fmt: skip
    """Tell whether the consultant sees it, whose ward Mary is on, or who has broken the glass."""
    notes = [sent(of_mary(**more), None, by), sent(of_mary("Condition", "y"), None, by)]
    found = record(said, encounter(), *notes, facts=[GLASS] if glass else [])
    return sees(found, caller or staff(), name)


def test_without_a_denial_it_is_seen() -> None:
    assert _sees(denial(actor=actors("Practitioner/other")))


@pytest.mark.parametrize("name", ["Observation/x", "Condition/y", MARY, "Consent/sharing-consent"])
def test_a_person_is_kept_from_all_and_nothing_spares_or_lifts(name: str) -> None:
    said = denial(actor=actors(ANN))

    assert not _sees(said, name)
    assert not _sees(said, name, by=WARD)
    assert not _sees(said, name, glass=True)
    assert _sees(said, name, caller=COLLEAGUE)


def test_a_person_is_known_by_a_place_of_work_too() -> None:
    place = {
        "resourceType": "PractitionerRole", "id": "place", "practitioner": ref(ANN),
        "organization": ref(WARD),
    }  # fmt: skip
    found = record(denial(actor=actors("PractitionerRole/place")), encounter(), place, of_mary())

    assert not sees(found, staff())
    assert sees(found, COLLEAGUE)


@pytest.mark.parametrize("name", ["Observation/x", "Condition/y"])
def test_an_organisation_is_kept_from_all_that_it_did_not_write(name: str) -> None:
    said = denial(actor=actors(WARD))

    assert not _sees(said, name)
    assert not _sees(said, name, caller=COLLEAGUE)
    assert _sees(said, name, by=WARD)
    assert _sees(said, name, glass=True)
    assert not _sees({**said, **NOT_LIFTED}, name, glass=True)
    assert not _sees(said, MARY)
    assert _sees(denial(actor=actors(COUNCIL)), name)


@pytest.mark.parametrize(
    ("said", "more"),
    [
        (TYPE, {}),
        (ITEM, {}),
        ({"code": [concept("vital-signs", "urn:c")]},
         {"category": [concept("vital-signs", "urn:c")]}),
        ({"securityLabel": [{"system": ACT_CODE, "code": "HIV"}]}, labelled("HIV")),
        ({"securityLabel": [{"system": PRIVACY_GROUP, "code": "sexual"}]}, labelled("HIV")),
        ({"securityLabel": [{"system": CONFIDENTIALITY, "code": "M"}]}, labelled("N")),
    ],
    ids=["type", "item", "category", "label", "group", "level"],
)  # fmt: skip
def test_a_group_or_an_item_is_hidden_from_whoever_did_not_write_it(
    said: dict[str, Any], more: dict[str, Any]
) -> None:
    assert not _sees(denial(**said), **more)
    assert _sees(denial(**said), "Condition/y", **more)
    assert _sees(denial(**said), by=WARD, **more)
    assert _sees(denial(**said), glass=True, **more)
    assert not _sees({**denial(**said), **NOT_LIFTED}, glass=True, **more)


def test_sharing_outside_who_wrote_it_hides_all_but_the_patient() -> None:
    assert not _sees(denial())
    assert not _sees(denial(), "Condition/y")
    assert _sees(denial(), MARY)
    assert _sees(denial(), by=WARD)
    assert _sees(denial(), glass=True)
    assert not _sees({**denial(), **NOT_LIFTED}, glass=True)


@pytest.mark.parametrize("role", ["social-worker", "gp"])
@pytest.mark.parametrize("said", [{}, {"class": [{"code": "Flag"}]}], ids=["sharing", "group"])
def test_safeguarding_stays_open_to_social_workers_and_gps(role: str, said: dict[str, Any]) -> None:
    flag = of_mary("Flag", category=[concept("safeguarding")], **labelled("V"))
    plain = of_mary("Flag", "plain", category=[concept("clinical")])
    found = record(denial(**said), encounter(), flag, plain)

    assert sees(found, staff(role), "Flag/x")
    assert not sees(found, staff(role), "Flag/plain")
    assert not sees(found, staff(), "Flag/x")
    barred = record(denial(actor=actors(WARD)), encounter(), flag)
    assert not sees(barred, staff(role), "Flag/x")


def test_denials_do_not_bind_the_patient_and_not_systems_but_carers() -> None:
    found = record(denial(**TYPE), of_mary(), ben(), proxy("measurements"))

    assert sees(found, PATIENT)
    assert sees(found, SYSTEM)
    assert not sees(found, CARER)
    assert sees(record(of_mary(), ben(), proxy("measurements")), CARER)


def test_a_denial_wins_over_all_relationships_together() -> None:
    team = of_mary("CareTeam", "t", status="active", participant=[{"member": ref(ANN)}])
    found = record(denial(**ITEM), encounter(), team, registered(WARD), of_mary())

    assert not sees(found, staff())


@pytest.mark.parametrize(
    "said",
    [
        {**denial(**TYPE), "status": "inactive"},
        {**denial(**TYPE), "status": "draft"},
        {**denial(**TYPE), "scope": concept("research")},
        {**denial(**TYPE), "patient": ref("Patient/other")},
        denial(**TYPE, period=period(-9, -1)),
        denial(**TYPE, period=period(1)),
        consent({"type": "permit", **TYPE}),
    ],
    ids=["withdrawn", "draft", "research", "another's", "over", "to come", "permits"],
)
def test_what_is_not_in_force_hides_nothing(said: dict[str, Any]) -> None:
    assert _sees(said)


def test_a_denial_may_be_nested_in_a_permission() -> None:
    nested = {"type": "permit", "provision": [{"type": "deny", **TYPE}]}

    assert not _sees(consent(nested))
    assert _sees(consent(nested), "Condition/y")


def test_what_is_named_together_must_be_met_together() -> None:
    both = denial(**TYPE, actor=actors(WARD))

    assert not _sees(both)
    assert _sees(both, "Condition/y")
    assert _sees(denial(**TYPE, actor=actors(COUNCIL)))


def test_what_is_kept_back_from_a_carer_is_kept_from_that_carer() -> None:
    back = {"provision": [{"type": "deny", **TYPE}]}
    found = record(
        ben(), proxy("measurements", "conditions", **back), of_mary(), of_mary("Condition", "y"),
        encounter(),
    )  # fmt: skip

    assert not sees(found, CARER)
    assert sees(found, CARER, "Condition/y")
    assert sees(found, staff())


def test_a_carer_may_be_kept_out_by_name() -> None:
    grant = proxy("measurements")

    assert not sees(record(ben(), grant, denial(actor=actors(BEN)), of_mary()), CARER)
    assert sees(record(ben(), grant, denial(actor=actors(ANN)), of_mary()), CARER)


@pytest.mark.parametrize(
    "said",
    [
        {"provision": [{"type": "permit"}]},
        {"dataPeriod": period(-9, 1)},
        {"data": [{"meaning": "related", "reference": ref("Observation/x")}]},
        {"actor": [{"reference": {"display": "My neighbour"}}]},
    ],
    ids=["exceptions", "data period", "related data", "somebody in words"],
)
def test_what_is_not_read_here_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        _sees(consent({"type": "permit", "provision": [{"type": "deny", **said}]}))


def test_the_practice_is_bound_as_others_are() -> None:
    found = record(denial(**TYPE), registered(), of_mary())

    assert not sees(found, staff("gp", PRACTICE))
