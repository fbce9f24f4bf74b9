"""EHR_REFERENCES=all: what documents refer to must be there, in the version that they name.

Judged on the state at the end of the transaction. Earlier versions of what is deleted by then can
still be read, so they may still be referred to.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ehr.errors import Unprocessable
from ehr.store.drafts import Demand, Method, Write
from ehr.store.engine import is_postgres
from ehr.store.locator import Located, Name
from ehr.store.statements import query
from fhir_profiles.issues import Issue

if TYPE_CHECKING:
    from ehr.store.resolve import Keys

_Version = tuple[str, str, int]
_Place = tuple[int, int, int]  # patient_key, rid, version

_LARGEST = 2**31 - 1
_FOUND = (
    "SELECT v.patient_key, v.rid, v.version FROM {source} version v ON v.patient_key = {key} "
    "AND v.rid = {rid} AND v.version = {version} AND v.method <> {deleted}"
)
_SQLITE = _FOUND.format(
    source="json_each(?) j CROSS JOIN",
    key="json_extract(j.value, '$[0]')",
    rid="json_extract(j.value, '$[1]')",
    version="json_extract(j.value, '$[2]')",
    deleted=int(Method.DELETE),
)
_POSTGRES = _FOUND.format(
    source="unnest(%b::bigint[], %b::bigint[], %b::integer[]) AS j (key, rid, version) JOIN",
    key="j.key",
    rid="j.rid",
    version="j.version",
    deleted=int(Method.DELETE),
)


def refuse_missing(connection: Connection, writes: Sequence[Write], keys: "Keys") -> None:
    """Raise Unprocessable with every reference that leads to what is not there."""
    demands = [(write, one) for write in writes if write.draft for one in write.draft.demands]
    versions = _stored(connection, [one for _, one in demands], keys.known) | _made(writes)
    issues = [
        missing(write, one)
        for write, one in demands
        if not (keys.exists((one.type, one.id)) if one.version is None else _of(one) in versions)
    ]
    if issues:
        raise Unprocessable(issues[0].diagnostics, issues=issues)


def _stored(
    connection: Connection, demands: Sequence[Demand], known: Mapping[Name, Located]
) -> set[_Version]:
    """Return which of the versions that are asked for are in the record, in one statement."""
    wanted = dict(_places(demands, known))
    if not wanted:
        return set()
    if is_postgres(connection):
        columns = [list(column) for column in zip(*wanted, strict=True)]
        found = query(connection, _POSTGRES, columns)
    else:
        found = query(connection, _SQLITE, (json.dumps(list(wanted)),))
    return {wanted[key, rid, version] for key, rid, version in found}


def _places(
    demands: Sequence[Demand], known: Mapping[Name, Located]
) -> Iterator[tuple[_Place, _Version]]:
    for one in demands:
        located = known.get((one.type, one.id))
        version = _of(one)
        if located is not None and version is not None:
            yield (located.patient_key, located.rid, version[2]), version


def _of(one: Demand) -> _Version | None:
    """Return the version that is asked for, None where there can be none of that name."""
    text = one.version or ""
    is_number = text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 11
    return (one.type, one.id, int(text)) if is_number and int(text) <= _LARGEST else None


def _made(writes: Sequence[Write]) -> set[_Version]:
    return {
        (write.type, write.id, write.current.version + 1 if write.current else 1)
        for write in writes
        if write.draft is not None
    }


def missing(write: Write, one: Demand) -> Issue:
    """Return what is said of a reference that leads to nothing."""
    name = f"{one.type}/{one.id}" + (f"/_history/{one.version}" if one.version else "")
    return Issue(
        "not-found",
        f"{write.type}/{write.id} refers to {name}, which is not in this record. "
        "Create it first, or send both in one transaction.",
        write.place(one.at),
    )
