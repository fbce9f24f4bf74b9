"""Whom people may name as the practice of a patient: a practice of GPs, and never themselves.

`Patient.generalPractitioner` opens the record for as long as it stands there. What an organisation
is says `Organization.type`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ehr.access.terms import codes
from ehr.errors import Forbidden, Unprocessable
from ehr.interactions.access.terms import terms_of
from ehr.interactions.drafting import resource_of
from ehr.messages import Resource
from ehr.record import Record
from ehr.store import read
from ehr.store.drafts import Write
from fhir_profiles import json_format
from fhir_profiles.own_names import ORGANIZATION_TYPE, PRACTICE

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal

_TYPES = frozenset({"Practitioner", "PractitionerRole", "Organization"})
_ORGANIZATION = "Organization/"


def is_practice(organization: Mapping[str, Any]) -> bool:
    """Tell whether an Organization is a practice of GPs."""
    return any(PRACTICE in codes(one, ORGANIZATION_TYPE) for one in organization.get("type", ()))


def refuse_strange_practices(
    record: Record,
    principal: "Principal",
    connection: "Connection",
    writes: Sequence[Write],
) -> None:
    """Raise Unprocessable for an organisation that is named as practice and is none, Forbidden for
    the writer in person; what stood there before stays."""
    mine = principal.called.names if principal.called is not None else ()
    for write in writes:
        if write.type != "Patient" or write.draft is None:
            continue
        before = _named(record, resource_of(write.current) if write.current is not None else {})
        for number, name in enumerate(_named(record, write.draft.resource)):
            if name is None or name in before:
                continue
            place = write.place(f"generalPractitioner[{number}]")
            if name in mine:
                _refuse_oneself(principal, connection, name, place)
            elif name.startswith(_ORGANIZATION) and "?" not in name:
                _refuse_unless_practice(connection, name, place)


def _named(record: Record, patient: Resource) -> list[str | None]:
    listed: Iterable[Resource] = patient.get("generalPractitioner", ())
    return [terms_of(record).name(one, _TYPES) for one in listed]


def _refuse_oneself(
    principal: "Principal", connection: "Connection", name: str, place: str
) -> None:
    """By an identifier an organisation may be meant as well: then it is the writer's own."""
    if name.startswith("Practitioner") or not principal.organisation:
        raise Forbidden(
            "Nobody registers a person with themselves: it would open the record to you. Name the "
            "practice.",
            expression=place,
        )
    _refuse_unless_practice(connection, f"{_ORGANIZATION}{principal.organisation}", place)


def _refuse_unless_practice(connection: "Connection", name: str, place: str) -> None:
    row = read.newest(connection, "Organization", name.removeprefix(_ORGANIZATION))
    if row is None or row.deleted or is_practice(json_format.reparse(row.json())):
        return  # what is not there is refused as any such reference
    raise Unprocessable(
        f"{name} is no GP practice: its Organization.type has not the code `{PRACTICE}` of "
        f"{ORGANIZATION_TYPE}. Name the practice of this person, or leave it out.",
        code="business-rule",
        expression=place,
    )
