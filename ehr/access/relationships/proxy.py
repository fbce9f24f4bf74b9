"""K7: carers who act for a patient, by an active Consent of the proxy kind."""

from collections.abc import Iterator

from ehr.access.consents.proxies import proxies
from ehr.access.relationships.kinds import Kind, Relationship, Source
from ehr.access.terms import Terms


def of_consent(source: Source, terms: Terms) -> Iterator[Relationship]:
    """Yield one for each RelatedPerson and stretch of time with the same permissions."""
    for one in proxies(source.document, terms, source.birth):
        yield Relationship(
            Kind.PROXY, one.grantee, one.from_, one.to, basis=one.grantee, permits=one.permits
        )
