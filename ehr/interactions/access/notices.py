"""Who is told that a record was opened: those who lead the patient's care, and the patient. Pure.

R4 Communication. The patient is told who by role and place, and why by a code: what the
colleague wrote beside it may be about others.
"""

from collections.abc import Iterator

from ehr.access.relationships.kinds import TEAMS
from ehr.access.terms import Terms, joint, parts
from ehr.interactions.access.concerned import Concerned
from ehr.messages import Resource
from ehr.store.bodies import instant

_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
_LEAD = "named-lead"


def alert(one: Concerned, about: str, text: str, at: int, terms: Terms) -> Resource | None:
    """Return the alert to the registered practice and to who leads the team; None where there is
    nobody to tell."""
    recipients = list(_leading(one, at, terms))
    if not recipients:
        return None
    return _communication("alert", one, about, text, at, recipients)


def notice(one: Concerned, about: str, text: str, at: int) -> Resource:
    """Return what the patient is told."""
    return _communication("notification", one, about, text, at, [{"reference": one.name}])


def _communication(
    category: str, one: Concerned, about: str, text: str, at: int, recipients: list[Resource]
) -> Resource:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "category": [{"coding": [{"system": _CATEGORY, "code": category}]}],
        "priority": "urgent" if category == "alert" else "routine",
        "subject": {"reference": one.name},
        "about": [{"reference": about}],
        "sent": instant(at),
        "recipient": recipients,
        "payload": [{"contentString": text}],
    }


def _leading(concerned: Concerned, at: int, terms: Terms) -> Iterator[Resource]:
    """Yield References to the practice, as the patient names it, and to named leads, each once."""
    seen = set()
    named = [*parts(concerned.patient, "generalPractitioner"), *_leads(concerned, at, terms)]
    for one in named:
        name = terms.name(one, TEAMS)
        if name is not None and name not in seen:
            seen.add(name)
            kept = ("reference", "type", "identifier", "display")
            yield {key: one[key] for key in kept if key in one}


def _leads(concerned: Concerned, at: int, terms: Terms) -> Iterator[Resource]:
    for team in concerned.teams:
        if team.get("status") != "active":
            continue
        for one in parts(team, "participant"):
            shared = joint(terms.period(team.get("period")), terms.period(one.get("period")))
            if shared is not None and shared[0] <= at < shared[1] and _is_lead(one):
                yield one.get("member") or {}


def _is_lead(participant: Resource) -> bool:
    return any(
        coding.get("code") == _LEAD
        for role in parts(participant, "role")
        for coding in parts(role, "coding")
    )
