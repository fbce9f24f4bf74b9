"""Provenance that the record tells by itself: read by its id, found by its target, brought along.

Nothing of it is stored but a row a transaction (`store/tables/provenance.py`). Who may see a
version, and Provenance of that patient, sees who made it.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from auth.rights import is_judged
from ehr.access.consents.areas import permit
from ehr.access.instance import is_permitted
from ehr.access.judging import granted
from ehr.access.made import Made, current_made, version_made, versions_made
from ehr.access.scope import scope_of
from ehr.interactions.drafting import bases
from ehr.interactions.provenance.ids import PREFIX, is_told, opened, sealed
from ehr.interactions.provenance.shown import shown
from ehr.messages import Interaction, Params
from ehr.record import Record
from fhir_profiles.own_names import READ
from fhir_profiles.references import type_and_id

if TYPE_CHECKING:
    from auth.principal import Principal

_TYPE, _SECRET = "Provenance", "hash"
# What may stand beside `target`: it chooses no rows.
_SHAPING = frozenset({"_count", "_total", "_cursor"})
_ALONG = re.compile(rf"{_TYPE}:target(:[A-Za-z]+)?")
_TOTAL = re.compile(rb'("type":"searchset","total":)(\d+)')
Target = tuple[str, str, str | None]  # type, id, version


class _Resource(msgspec.Struct, rename="camel"):
    resource_type: str
    id: str = ""


class _Search(msgspec.Struct):
    mode: str = ""


class _Entry(msgspec.Struct):
    resource: _Resource
    search: _Search


class _Link(msgspec.Struct):
    relation: str


class _Bundle(msgspec.Struct):
    link: list[_Link] = []
    entry: list[_Entry] = []


def told(
    record: Record, principal: "Principal", interaction: Interaction
) -> tuple[bytes, int] | None:
    """Return the Provenance in the address and its time in ms; None where there is none to see."""
    if not is_told(interaction):
        return None
    place = opened(record.database.secret(_SECRET), interaction.id or "")
    if place is None:
        return None
    scope = scope_of(record.database, principal, "r")
    with record.database.read() as connection:
        made = version_made(connection, scope, place)
    if made is None or not _may_see(record, principal, made, "r"):
        return None
    return shown(made, interaction.id or ""), made.at


def with_told(
    record: Record, principal: "Principal", interaction: Interaction, body: bytes
) -> bytes:
    """Return a searchset with the Provenance of ours that it asks for.

    That is for a search by `target` alone, references by id, behind its last match; and, for
    people, for `_revinclude=Provenance:target`, of the versions that match. Systems that mirror
    the record are brought what is stored.
    """
    if interaction.type == _TYPE:
        targets = _targets(record, interaction.params)
        return _with_found(record, principal, interaction, body, targets) if targets else body
    if not is_judged(principal):
        return body
    if not any(name == "_revinclude" and _ALONG.fullmatch(one) for name, one in interaction.params):
        return body
    bundle = msgspec.json.decode(body, type=_Bundle)
    names = {
        (one.resource.resource_type, one.resource.id)
        for one in bundle.entry
        if one.search.mode == "match"
    }
    scope = scope_of(record.database, principal, "r")
    with record.database.read() as connection:
        made = current_made(connection, scope, names) if names else []
    return _spliced(body, _entries(record, principal, interaction, made, "include"))


def _with_found(
    record: Record,
    principal: "Principal",
    interaction: Interaction,
    body: bytes,
    targets: tuple[Target, ...],
) -> bytes:
    scope = scope_of(record.database, principal, "r")
    made: list[Made] = []
    with record.database.read() as connection:
        for type, id, number in targets:
            some = versions_made(connection, scope, type, id)
            made += [one for one in some if number is None or str(one.version) == number]
    entries = _entries(record, principal, interaction, made, "match")
    head = _TOTAL.sub(lambda at: b"%s%d" % (at[1], int(at[2]) + len(entries)), body, count=1)
    links = msgspec.json.decode(body, type=_Bundle).link
    is_last = not any(one.relation == "next" for one in links)
    shows_any = ("_count", "0") not in interaction.params
    return _spliced(head, entries) if is_last and shows_any else head


def _targets(record: Record, params: Params) -> tuple[Target, ...]:
    """Return what a search by target alone is about; nothing for any other search."""
    asked = [value for name, value in params if name == "target"]
    if len(asked) != 1 or any(name not in _SHAPING | {"target"} for name, _ in params):
        return ()
    found = [type_and_id(text, bases(record)) for text in asked[0].split(",")]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _entries(
    record: Record,
    principal: "Principal",
    interaction: Interaction,
    made: Iterable[Made],
    mode: str,
) -> list[bytes]:
    secret, base = record.database.secret(_SECRET), interaction.base.rstrip("/")
    entries = {}
    for one in made:
        if _may_see(record, principal, one, "s"):
            id = sealed(secret, (one.patient_key, one.rid, one.version))
            entries[id] = b'{"fullUrl":%s,"resource":%s,"search":{"mode":"%s"}}' % (
                msgspec.json.encode(f"{base}/{_TYPE}/{id}"),
                shown(one, id),
                mode.encode(),
            )
    return list(entries.values())


def _spliced(body: bytes, entries: list[bytes]) -> bytes:
    """Return a Bundle with entries behind its own, every byte of which stays."""
    if not entries:
        return body
    some = b",".join(entries)
    if body.endswith(b"]}") and b',"entry":[' in body:
        return b"%s,%s]}" % (body[:-2], some)
    return b'%s,"entry":[%s]}' % (body[:-1], some)


def _may_see(record: Record, principal: "Principal", made: Made, letters: str) -> bool:
    """Tell whether the caller may see Provenance of this patient, whichever it is."""
    known = is_permitted(
        record.database, principal, _TYPE, made.patient_key, PREFIX, letters=letters
    )
    if known is not True or principal.kind != "carer":
        return known is True
    with record.database.read() as connection:
        some = granted(connection, record.database, principal, made.patient_key)
    return permit(READ, "access-log") in some
