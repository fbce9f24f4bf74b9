"""What patients decide: denials of every kind, and carers who act for them."""

from dataclasses import replace
from typing import Any

from tests.policy.naive.vocabulary import (
    ACT_CODE,
    BREAK_GLASS_ALLOWED,
    CONFIDENTIALITY,
    CONSENT_KIND,
    CONSENT_SCOPE,
    PARTICIPATION,
    PRIVACY_GROUP,
    PROXY_ACTION,
    PROXY_AREA,
    PROXY_BASIS,
    RESOURCE_TYPES,
)
from tests.policy.naive.vocabulary import AREAS as ALL_AREAS
from tests.policy.world.making import Author, Making, Resource, concept, instant, period, ref
from tests.policy.world.people import Subject
from tests.policy.world.places import Places

_AREAS = sorted(ALL_AREAS)


def actor(name: str) -> Resource:
    """Return who a provision is about."""
    return {"role": concept("PRCP", PARTICIPATION), "reference": ref(name)}


def make_denials(
    making: Making, subject: Subject, places: Places, items: list[str], turn: int
) -> None:
    """Make denials; patients take turns at kinds, so that a few patients have them all.

    `items` are names of which one may be hidden. Most denials are in force.
    """
    near, other = making.one(subject.workers), making.one(places.carers())
    kinds: tuple[Resource, ...] = (
        {"actor": [actor(making.one((near.person, near.place, other.person)))]},
        {"data": [{"meaning": "instance", "reference": ref(making.one(items))}]},
        {"actor": [actor(making.one((near.organisation, other.organisation)))]},
        {"class": [{"system": RESOURCE_TYPES, "code": making.one(_HIDDEN_TYPES)}]},
        {"code": [_category(making)]},
        {"securityLabel": [_label(making)]},
        {},
    )
    for number, said in enumerate(kinds):
        if making.chance(0.9 if number == turn % len(kinds) else 0.03):
            _deny(making, subject, said)


_HIDDEN_TYPES = ("Condition", "Observation", "Flag", "Flag", "DocumentReference")


def _category(making: Making) -> Resource:
    categories = "http://terminology.hl7.org/CodeSystem/observation-category"
    return concept(making.one(("vital-signs", "social-history", "laboratory")), categories)


def _label(making: Making) -> Resource:
    return making.one(
        (
            {"system": ACT_CODE, "code": "HIV"},
            {"system": ACT_CODE, "code": "MH"},
            {"system": CONFIDENTIALITY, "code": "R"},
            {"system": PRIVACY_GROUP, "code": "sexual"},
            {"system": PRIVACY_GROUP, "code": "mental"},
        )
    )


def _deny(making: Making, subject: Subject, said: Resource) -> None:
    denial = {"type": "deny", **said}
    if making.chance(0.2):
        denial["period"] = making.one((period(-50, -2), period(-50, 2), period(1)))
    nested = {"type": "permit", "provision": [denial]}
    _consent(making, subject, "sharing", denial if making.chance(0.7) else nested)


def _consent(making: Making, subject: Subject, kind: str, provision: Resource) -> str:
    document: dict[str, Any] = {
        "resourceType": "Consent",
        "status": making.one(("active",) * 12 + ("inactive", "draft", "rejected")),
        "scope": concept("patient-privacy", CONSENT_SCOPE),
        "category": [concept(kind, CONSENT_KIND)],
        "patient": ref(subject.name),
        "dateTime": instant(-60),
        "performer": [ref(subject.name)],
        "policyRule": concept("OPTOUT", ACT_CODE),
        "provision": provision,
    }
    if kind == "sharing" and making.chance(0.4):
        allowed = making.chance(0.4)
        document["extension"] = [{"url": BREAK_GLASS_ALLOWED, "valueBoolean": allowed}]
    if kind == "proxy":
        document["policyRule"] = concept("OPTIN", ACT_CODE)
        if subject.is_child:
            document["performer"] = [ref(subject.carers[0])]
            document["extension"] = [{"url": PROXY_BASIS, "valueCode": "parental-responsibility"}]
    by = Author(subject.name, None) if making.chance(0.6) else making.one(subject.workers).author
    return making.add(document, by, ago=60)


def make_mistaken_proxies(making: Making, subject: Subject, other: Subject) -> None:
    """Let a carer of one patient act for another, whose carer that person is not."""
    for carer in subject.carers[:1]:
        provision: Resource = {
            "type": "permit",
            "actor": [actor(carer)],
            "code": [concept(area, PROXY_AREA) for area in _AREAS],
            "action": [concept("read", PROXY_ACTION)],
        }
        _consent(making, replace(other, is_child=False), "proxy", provision)


def make_proxies(making: Making, subject: Subject) -> None:
    """Let carers act for the patient: in a few areas or nearly all, reading or writing too."""
    for carer in subject.carers:
        for _ in range(making.one((0, 1, 1, 1, 1, 2))):
            areas = making.one((making.some(_AREAS, 2, 6), _AREAS, _AREAS))
            actions = making.one([["read"]] * 3 + [["read", "write"]] * 3 + [["write"]])
            provision: Resource = {
                "type": "permit",
                "actor": [actor(carer)],
                "code": [concept(area, PROXY_AREA) for area in areas],
                "action": [concept(action, PROXY_ACTION) for action in actions],
                "period": making.one((period(-50, 100),) * 4 + (period(-50, -1), period(2, 100))),
            }
            if making.chance(0.3):
                back = {"class": [{"system": RESOURCE_TYPES, "code": making.one(_HIDDEN_TYPES)}]}
                provision["provision"] = [{"type": "deny", **back}]
            _consent(making, subject, "proxy", provision)
