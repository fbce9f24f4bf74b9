"""Consents as rules: each choice of patients, what nests, and what is refused."""

from typing import Any

import pytest

from ehr.access.consents import ConsentRule, compiled, permitted_types, problems, rules_of
from ehr.access.terms import ALWAYS, FOREVER
from fhir_profiles.facets import CONFIDENTIALITY, PRIVACY_GROUPS, mask
from fhir_profiles.own_names import BREAK_GLASS_ALLOWED, PRIVACY_GROUP, PROXY_AREA
from tests.unit.ehr.access.access_documents import (
    TERMS,
    actor,
    concept,
    consent,
    day,
    proxy,
    to,
)

LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
TYPES = "http://hl7.org/fhir/resource-types"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
NO_BREAK_GLASS = [{"url": BREAK_GLASS_ALLOWED, "valueBoolean": False}]
SNOMED = "http://snomed.info/sct"


def label(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


def rules(provision: Any, **more: Any) -> tuple[ConsentRule, ...]:
    found = compiled(consent(provision, **more), TERMS)
    assert found.problems == ()
    return found.rules


def test_an_objection_to_sharing_spares_who_wrote_it() -> None:
    assert rules({"type": "deny"}) == (ConsentRule(1),)
    (one,) = rules({"type": "deny"})
    assert (one.spares_authors, one.may_be_lifted) == (True, True)
    assert (one.from_, one.to) == (ALWAYS, FOREVER)


@pytest.mark.parametrize(
    ("name", "is_person"),
    [
        ("Practitioner/tom", True),
        ("PractitionerRole/tom-gp", True),
        ("RelatedPerson/ben", True),
        ("Organization/hospital", False),
    ],
)
def test_a_block_of_a_person_stands_even_in_an_emergency(name: str, is_person: bool) -> None:
    (one,) = rules({"type": "deny", "actor": [actor(name)]})

    assert one == ConsentRule(
        1, actor=name, spares_authors=not is_person, may_be_lifted=not is_person
    )


def test_an_identifier_alone_may_be_a_person_s() -> None:
    reference = {"identifier": {"system": "https://far.example/staff", "value": "a/b"}}
    role = actor("x")["role"]
    (one,) = rules({"type": "deny", "actor": [{"role": role, "reference": reference}]})

    assert one.actor == "?identifier=https://far.example/staff|a/b"
    assert not one.may_be_lifted


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"class": [label(TYPES, "Observation")]}, {"type": "Observation"}),
        (
            {"code": [concept(SNOMED, "86299006")]},
            {"system": SNOMED, "code": "86299006"},
        ),
        ({"securityLabel": [label(LEVEL, "R")]}, {"least": CONFIDENTIALITY["R"]}),
        ({"securityLabel": [label(ACT, "HIV")]}, {"sens": mask("HIV")}),
        (
            {"securityLabel": [label(PRIVACY_GROUP, "mental")]},
            {"sens": PRIVACY_GROUPS["mental"]},
        ),
        (
            {"data": [{"meaning": "instance", "reference": to("Condition/c1")}]},
            {"item": "Condition/c1"},
        ),
        ({"purpose": [label(REASON, "HRESCH")]}, {"purpose": "HRESCH"}),
        (
            {"period": {"start": "2025-01-01", "end": "2025-01-31"}},
            {"from_": day("2025-01-01"), "to": day("2025-02-01")},
        ),
        ({"action": [concept(ACTION, "access", "use")]}, {}),
    ],
)
def test_what_a_denial_is_about(asked: Any, said: Any) -> None:
    assert rules({"type": "deny", **asked}) == (ConsentRule(1, **said),)


def test_lists_are_all_combinations() -> None:
    some = rules(
        {
            "type": "deny",
            "actor": [actor("Organization/a"), actor("Organization/b")],
            "class": [label(TYPES, "Condition"), label(TYPES, "Observation")],
        }
    )

    assert {(one.actor, one.type) for one in some} == {
        (f"Organization/{a}", type) for a in "ab" for type in ("Condition", "Observation")
    }
    assert {one.group for one in some} == {1}


def test_exceptions_belong_to_their_denial() -> None:
    sparing = {
        "type": "permit",
        "actor": [actor("Organization/hospital")],
        "securityLabel": [label(LEVEL, "N")],
    }
    denial, exception = rules({"type": "deny", "provision": [sparing]})

    assert (denial.group, denial.is_exception) == (1, False)
    assert exception == ConsentRule(
        1, is_exception=True, actor="Organization/hospital", most=CONFIDENTIALITY["N"]
    )


def test_denials_nested_in_a_permission_are_groups_of_their_own() -> None:
    nested = [
        {"type": "deny", "actor": [actor("Practitioner/tom")]},
        {"type": "deny", "securityLabel": [label(ACT, "HIV")]},
        {"type": "permit", "actor": [actor("Practitioner/ann")]},
    ]
    some = rules({"type": "permit", "period": {"end": "2030"}, "provision": nested})

    assert [(one.group, one.actor, one.sens) for one in some] == [
        (1, "Practitioner/tom", 0),
        (2, "", mask("HIV")),
    ]
    assert {one.to for one in some} == {day("2031")}


def test_a_denial_outside_the_period_it_is_nested_in_is_none() -> None:
    nested = [{"type": "deny", "period": {"start": "2031"}}]

    assert rules({"type": "permit", "period": {"end": "2030"}, "provision": nested}) == ()


@pytest.mark.parametrize("where", ["consent", "provision"])
def test_the_patient_may_keep_emergencies_out(where: str) -> None:
    on = {"extension": NO_BREAK_GLASS}
    if where == "consent":
        (one,) = rules({"type": "deny"}, **on)
    else:
        (one,) = rules({"type": "deny", **on})

    assert not one.may_be_lifted


def test_a_policy_alone_denies() -> None:
    policy = concept(ACT, "OPTOUT")

    assert rules_of(consent(policyRule=policy), TERMS) == (ConsentRule(1),)
    assert rules_of(consent(policyRule=concept(ACT, "OPTIN")), TERMS) == ()
    assert rules_of(consent(), TERMS) == ()


def test_consents_about_research_keep_that_purpose_out() -> None:
    scope = concept("http://terminology.hl7.org/CodeSystem/consentscope", "research")

    assert rules({"type": "deny"}, scope=scope) == (ConsentRule(1, purpose="HRESCH"),)


@pytest.mark.parametrize("code", ["treatment", "adr"])
def test_consents_about_something_else_say_nothing(code: str) -> None:
    scope = concept("http://terminology.hl7.org/CodeSystem/consentscope", code)

    assert rules({"type": "deny"}, scope=scope) == ()


@pytest.mark.parametrize(
    "status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"]
)
def test_only_active_consents_are_obeyed_or_refused(status: str) -> None:
    assert rules({"type": "deny"}, status=status) == ()
    assert problems(consent({"dataPeriod": {}}, status=status), TERMS) == ()


@pytest.mark.parametrize(
    ("provision", "place"),
    [
        ({"actor": [actor("Practitioner/tom")]}, "type"),
        ({"type": "deny", "actor": [actor("Practitioner/tom", "CST")]}, "actor.role"),
        ({"type": "deny", "actor": [actor("Device/d")]}, "actor.reference"),
        ({"type": "deny", "actor": [actor("Patient/mary")]}, "actor.reference"),
        ({"type": "deny", "actor": [actor("CareTeam/crisis")]}, "actor.reference"),
        ({}, ""),
        ({"type": "deny", "class": [label("urn:x", "y")]}, "class"),
        ({"type": "deny", "code": [{"text": "my past"}]}, "code"),
        ({"type": "deny", "securityLabel": [label(ACT, "ETREAT")]}, "securityLabel"),
        (
            {"type": "deny", "data": [{"meaning": "related", "reference": to("Condition/c")}]},
            "data",
        ),
        (
            {"type": "deny", "data": [{"meaning": "instance", "reference": to("http://a/b/C/c")}]},
            "data",
        ),
        ({"type": "deny", "dataPeriod": {"start": "2020"}}, "dataPeriod"),
        ({"type": "deny", "action": [concept(ACTION, "correct")]}, "action"),
        ({"type": "deny", "action": [concept(ACTION, "access", "collect")]}, "action"),
        ({"type": "deny", "purpose": [label("urn:x", "y")]}, "purpose"),
        ({"type": "deny", "purpose": [label(REASON, "BTG")]}, "purpose"),
        ({"type": "deny", "period": {"start": "2030", "end": "2020"}}, "period"),
        ({"type": "deny", "provision": [{"type": "deny"}]}, "provision[0].type"),
        (
            {"type": "deny", "provision": [{"type": "permit", "provision": [{"type": "deny"}]}]},
            "provision[0].provision",
        ),
        (
            {
                "type": "deny",
                "provision": [
                    {"type": "permit", "securityLabel": [label(LEVEL, "N"), label(ACT, "HIV")]}
                ],
            },
            "provision[0].securityLabel",
        ),
        (
            {
                "type": "permit",
                "actor": [actor("Practitioner/tom")],
                "provision": [{"type": "deny", "actor": [actor("Practitioner/ann")]}],
            },
            "provision[0]",
        ),
        (
            {
                "type": "deny",
                "class": [label(TYPES, type) for type in ("Goal", "Task")],
                "code": [concept(SNOMED, *map(str, range(501)))],
            },
            "",
        ),
    ],
)
def test_what_can_not_be_obeyed_exactly_is_refused_as_a_whole(provision: Any, place: str) -> None:
    found = compiled(consent(provision), TERMS)

    assert found.rules == ()
    assert [one.expression for one in found.problems] == [
        f"Consent.provision.{place}".removesuffix(".")
    ]
    assert found.problems[0].text


def test_items_kept_back_from_a_carer() -> None:
    kept = {"type": "deny", "securityLabel": [label(PRIVACY_GROUP, "sexual")]}
    (one,) = rules_of(proxy(provision={"provision": [kept]}), TERMS)

    assert (one.actor, one.sens) == ("RelatedPerson/ben", PRIVACY_GROUPS["sexual"])
    assert (one.from_, one.to) == (day("2025-01-01"), day("2026-01-01"))
    assert not one.may_be_lifted


@pytest.mark.parametrize(
    ("provision", "place"),
    [
        ({"code": [concept(PROXY_AREA, "everything")]}, "code"),
        ({"code": [{"text": "plan"}]}, "code"),
        ({"action": [concept(ACTION, "disclose")]}, "action"),
        ({"action": []}, "action"),
        ({"actor": []}, "actor"),
        ({"securityLabel": [label(LEVEL, "N")]}, "securityLabel"),
        ({"provision": [{"type": "permit"}]}, "provision.type"),
    ],
)
def test_a_proxy_that_can_not_be_obeyed(provision: Any, place: str) -> None:
    found = problems(proxy(provision=provision), TERMS)

    assert [one.expression for one in found] == [f"Consent.provision.{place}"]


def test_a_proxy_without_a_provision_is_refused() -> None:
    document = proxy()
    del document["provision"]

    assert [one.expression for one in problems(document, TERMS)] == ["Consent.provision"]


def test_permissions_open_types_by_action() -> None:
    permits = "read:medicines read:plan write:messages"

    assert "MedicationRequest" in permitted_types(permits, "read")
    assert permitted_types(permits, "write") == {"Communication", "CommunicationRequest"}
    assert "Consent" not in permitted_types(permits, "read")
