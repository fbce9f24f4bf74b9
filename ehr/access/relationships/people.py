"""K1 registered practice and K6 self, of a Patient; who a RelatedPerson is."""

from collections.abc import Iterator

from ehr.access.relationships.kinds import PEOPLE, Ceiling, Kind, Relationship, Source
from ehr.access.terms import ALWAYS, Terms, parts

_PRACTICES = PEOPLE | {"Organization"}


def of_patient(source: Source, terms: Terms) -> Iterator[Relationship]:
    """Yield the patient's own, and one for each practice or person registered with."""
    yield Relationship(Kind.SELF, f"Patient/{source.id}", ALWAYS)
    for reference in parts(source.document, "generalPractitioner"):
        name = terms.name(reference, _PRACTICES)
        if name is not None:
            yield Relationship(Kind.REGISTERED, name, ALWAYS)


def of_related_person(source: Source, terms: Terms) -> Iterator[Relationship]:
    """Yield that the person is there: by itself it opens nothing."""
    period = terms.period(source.document.get("period"))
    if period is not None and source.document.get("active") is not False:
        yield Relationship(Kind.RELATED, f"RelatedPerson/{source.id}", *period, Ceiling.NOTHING)
