"""Who had to do with a patient at a moment, and what the patient denied: from versions of then.

Derived anew, version after version as they were written, and never from the rows of today: a
relationship that was taken out since was in force then, and one that was entered since was not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from ehr.access import directory
from ehr.access.consents import ConsentRule, rules_of
from ehr.access.relationships import SOURCES, Relationship, Source, relationships_of
from ehr.access.terms import Resource, Terms
from ehr.store.past import version_at, versions_until
from ehr.store.read import Stored
from fhir_profiles import json_format

_ORGANISATION = frozenset({"Organization"})


@dataclass(frozen=True, slots=True)
class Past:
    """What was so at a moment, each with the version it comes of (`CareTeam/1/_history/2`)."""

    relationships: tuple[tuple[str, Relationship], ...]
    rules: tuple[tuple[str, ConsentRule], ...]


def past(connection: Connection, patient_key: int, terms: Terms, at: int) -> Past:
    """Return the relationships to the patient with this key, and the rules, at a moment in ms.

    What a Consent permits by age goes by the birth date as it stood then.
    """
    found = versions_until(connection, patient_key, SOURCES, at)
    birth = next(
        (_document(row).get("birthDate") for row in reversed(found)
         if row.type == "Patient" and not row.deleted),
        None,
    )  # fmt: skip
    related: list[tuple[str, Relationship]] = []
    rules: list[tuple[str, ConsentRule]] = []
    for versions in _by_resource(found):
        made: tuple[Relationship, ...] = ()
        for row in versions:
            source = None if row.deleted else Source(
                row.id, _document(row), row.last_updated, made, birth
            )  # fmt: skip
            made = () if source is None else relationships_of(source, terms)
        last = versions[-1]
        name = f"{last.type}/{last.id}/_history/{last.version}"
        related += [(name, one) for one in made]
        if last.type == "Consent" and not last.deleted:
            rules += [(name, one) for one in rules_of(_document(last), terms)]
    return Past(tuple(related), tuple(rules))


def names_at_moment(connection: Connection, who: str, terms: Terms, at: int) -> tuple[str, ...]:
    """Return how resources could mean `Practitioner/1`, `Patient/1` … at a moment in ms.

    Of a professional with all organisations that they had a role at: nobody knows by which they
    would have come. Roles that were deleted since are not known.
    """
    people = {who: _at(connection, who, at)}
    for name in directory.role_names(connection, who):
        people[name] = _at(connection, name, at)
    found: list[str] = []
    for name, document in people.items():
        if document is None and name != who:
            continue
        is_role = name.startswith("PractitionerRole/")
        if is_role and not directory.is_in_force(document or {}, terms, at):
            continue
        found += directory.names_of(name, document)
        here = terms.name((document or {}).get("organization"), _ORGANISATION) if is_role else None
        found += [here] if here else []
        found += _identified(connection, here, at)
    return tuple(dict.fromkeys(found))


def _identified(connection: Connection, name: str | None, at: int) -> list[str]:
    document = _at(connection, name, at) if name and "?" not in name and "://" not in name else None
    return list(directory.names_of(name or "", document)) if document else []


def _at(connection: Connection, name: str, at: int) -> Resource | None:
    type, _, id = name.partition("/")
    row = version_at(connection, type, id, at)
    return None if row is None or row.deleted else _document(row)


def _document(row: Stored) -> Resource:
    resource: Resource = json_format.reparse(row.json())
    return resource


def _by_resource(rows: Iterable[Stored]) -> Iterator[list[Stored]]:
    some: list[Stored] = []
    for row in rows:
        if some and some[-1].rid != row.rid:
            yield some
            some = []
        some.append(row)
    if some:
        yield some
