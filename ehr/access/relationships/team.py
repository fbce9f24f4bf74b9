"""K2: members of a CareTeam, while the team is active and their period runs.

Patients and carers in a team get nothing by it: their right is K6 and K7. Who takes part on behalf
of an organisation has access while acting for it.
"""

from collections.abc import Iterator

from ehr.access.relationships.kinds import LEADS, PEOPLE, TEAMS, Kind, Relationship, Source
from ehr.access.terms import Resource, Terms, joint, parts, type_named

_ORGANISATION = frozenset({"Organization"})
_LEAD = "named-lead"


def of_team(source: Source, terms: Terms) -> Iterator[Relationship]:
    """Yield one for each professional member."""
    team = source.document
    if team.get("status") != "active":
        return
    period = terms.period(team.get("period"))
    for one in parts(team, "participant"):
        name = terms.name(one.get("member"), TEAMS)
        shared = joint(period, terms.period(one.get("period")))
        behalf = terms.name(one.get("onBehalfOf"), _ORGANISATION)
        is_lost = one.get("onBehalfOf") is not None and behalf is None
        if name is not None and shared is not None and not is_lost:
            is_person = type_named(name) in PEOPLE
            permits = LEADS if is_person and _leads(one) else ""
            yield Relationship(Kind.TEAM, name, *shared, behalf=behalf or "", permits=permits)


def _leads(participant: Resource) -> bool:
    """Tell whether a participant has the code of the named lead, of whatever system."""
    return any(
        coding.get("code") == _LEAD
        for role in parts(participant, "role")
        for coding in parts(role, "coding")
    )
