"""From a resource to the relationships it gives rise to. Pure.

ehr/README.md, *Relationships and consents*. Nothing is raised for any valid R4 resource.
"""

from collections.abc import Callable, Iterator, Mapping

from ehr.access.relationships.encounter import of_encounter
from ehr.access.relationships.kinds import Relationship, Source
from ehr.access.relationships.people import of_patient, of_related_person
from ehr.access.relationships.proxy import of_consent
from ehr.access.relationships.referral import of_service_request, of_task
from ehr.access.relationships.team import of_team
from ehr.access.terms import Terms

_OF_TYPE: Mapping[str, Callable[[Source, Terms], Iterator[Relationship]]] = {
    "CareTeam": of_team,
    "Consent": of_consent,
    "Encounter": of_encounter,
    "Patient": of_patient,
    "RelatedPerson": of_related_person,
    "ServiceRequest": of_service_request,
    "Task": of_task,
}
# A write of any other type changes nobody's access.
SOURCES = frozenset(_OF_TYPE)


def relationships_of(source: Source, terms: Terms) -> tuple[Relationship, ...]:
    """Return the relationships that one version of a resource gives rise to, each once."""
    make = _OF_TYPE.get(source.type)
    return tuple(dict.fromkeys(make(source, terms))) if make else ()
