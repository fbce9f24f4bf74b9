"""Whom and what a Consent names: they must be there, else it would be kept and keep nobody out.

Asked of people who may write it, whose slip nobody else would notice. Systems pass on what was
decided elsewhere, maybe before what it names. What is hidden from the writer is refused as what is
not there.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ehr.access.judging import seen
from ehr.access.terms import Resource, Terms, parts
from ehr.errors import Unprocessable
from ehr.interactions.access.terms import terms_of
from ehr.interactions.drafting import resource_of
from ehr.record import Record
from ehr.store.drafts import Current, Write
from ehr.store.locator import Located, Name, locate
from fhir_profiles.issues import Issue
from fhir_profiles.references import type_and_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from auth.principal import Principal

_Asked = tuple[Write, str, Name]  # the place in the Consent, and who or what is named there


def refuse_named_in_vain(
    record: Record,
    principal: "Principal",
    connection: "Connection",
    writes: Sequence[Write],
) -> None:
    """Raise Unprocessable for persons, organisations and items that are not in this record, or are
    of another patient."""
    if principal.kind == "system":
        return
    made = {(one.type, one.id) for one in writes if one.draft is not None}
    terms = terms_of(record)
    asked = [one for one in _named_anew(writes, terms) if one[2] not in made]
    if not asked:
        return
    owners = {("Patient", _owner(write)) for write, _, _ in asked}
    places = locate(connection, owners | {name for _, _, name in asked})
    found = {(p.patient_key, p.rid): name[0] for name, p in places.items() if not p.reserved}
    shown = seen(connection, record.database, principal, found)
    issues = [
        _issue(write, at, name)
        for write, at, name in asked
        if not _is_there(write, name, places, shown)
    ]
    if issues:
        raise Unprocessable(issues[0].diagnostics, issues=issues)


def _named_anew(writes: Sequence[Write], terms: Terms) -> Iterator[_Asked]:
    """Yield what Consents in force name by a reference to this server, and did not before."""
    for write in writes:
        if write.type != "Consent" or write.draft is None:
            continue
        document = write.draft.resource
        if document.get("status") != "active":
            continue
        before = {name for _, name in _names(_before(write.current), terms)}
        yield from ((write, at, n) for at, n in _names(document, terms) if n not in before)


def _before(row: Current | None) -> Resource:
    there = row is not None and not row.deleted
    before = resource_of(row) if there and row is not None else {}
    return before if before.get("status") == "active" else {}


def _names(consent: Resource, terms: Terms) -> Iterator[tuple[str, Name]]:
    root = consent.get("provision")
    return _of(root, "provision", terms) if isinstance(root, dict) else iter(())


def _of(provision: Resource, place: str, terms: Terms) -> Iterator[tuple[str, Name]]:
    for element in ("actor", "data"):
        for number, one in enumerate(parts(provision, element)):
            text = (one.get("reference") or {}).get("reference")
            located = type_and_id(text, terms.base_urls) if isinstance(text, str) else None
            if located is not None:
                yield f"{place}.{element}[{number}].reference", (located[0], located[1])
    for number, inner in enumerate(parts(provision, "provision")):
        yield from _of(inner, f"{place}.provision[{number}]", terms)


def _is_there(
    write: Write, name: Name, places: "Mapping[Name, Located]", shown: frozenset[tuple[int, int]]
) -> bool:
    place, owner = places.get(name), places.get(("Patient", _owner(write)))
    if place is None or (place.patient_key, place.rid) not in shown:
        return False
    return place.patient_key <= 0 or owner is None or place.patient_key == owner.patient_key


def _owner(write: Write) -> str:
    return ((write.draft.owner if write.draft else None) or "").removeprefix("Patient/")


def _issue(write: Write, place: str, name: Name) -> Issue:
    text = (
        f"There is no {name[0]}/{name[1]} in this record, so that the Consent would say nothing of "
        "it. Give the id of who or what is meant."
    )
    return Issue("not-found", text, write.place(place))
