"""Index rows as table rows, and what changes of them between two versions of a resource.

Only changed rows are rewritten: the old rows are extracted again from the old body, by the
definitions they were made by, which is cheaper than reading six tables. Rows that an earlier
release made are cleared by their resource.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table

from ehr.store.contained import of_row, place
from ehr.store.drafts import Write, Written
from ehr.store.left_rows import left_of
from ehr.store.references import member_rows, reference_rows
from ehr.store.resolve import Keys
from ehr.store.rows import IndexRows
from ehr.store.tables import (
    date,
    full_text,
    identifier_locator,
    member,
    position,
    quantity,
    reference,
    string,
    token,
    uri,
)
from fhir_profiles.definitions import type_number

Row = tuple[Any, ...]
Batch = dict[Table, list[Row]]


def difference(write: Write, done: Written, keys: Keys, gone: Batch, rows: Batch) -> None:
    """Add to `gone` the primary keys of rows that fall away, to `rows` the rows that come."""
    new = _new(write)
    if write.clears and write.previous is not None:
        # The locator of identifiers is found by their values alone.
        named = _identifier(write.previous, write.type, done.patient_key, done.rid)
        gone.setdefault(identifier_locator, []).extend(
            primary_key(identifier_locator, row) for row in named
        )
    if write.previous is None or write.clears:
        for table, build in _BUILD.items():
            some = _with_contained(build, new, write.type, done.patient_key, done.rid)
            if some:
                rows.setdefault(table, []).extend(some)
        _references(write, done, keys, gone, rows, _NO_ROWS)
        return
    old = write.previous
    for table, build in _BUILD.items():
        before = _with_contained(build, old, write.type, done.patient_key, done.rid)
        after = _with_contained(build, new, write.type, done.patient_key, done.rid)
        if before != after:
            kept, known = set(after), set(before)
            stale = [primary_key(table, row) for row in before if row not in kept]
            fresh = [row for row in after if row not in known]
            if stale:
                gone.setdefault(table, []).extend(stale)
            if fresh:
                rows.setdefault(table, []).extend(fresh)
    is_filed = _owner_key(write, done) != done.patient_key
    if is_filed or [*old.links()] != [*new.links()] or len(old.inside) != len(new.inside):
        _references(write, done, keys, gone, rows, old)


_NO_ROWS = IndexRows()


def _new(write: Write) -> IndexRows:
    """Return the rows of a resource once it is written, or deleted."""
    if write.draft is not None:
        return write.draft.rows
    return _NO_ROWS if write.previous is None else left_of(write.type, write.previous)


def clear(connection: Connection, patient_key: int, rid: int) -> None:
    """Remove all index rows of a resource, whatever made them, but those of its identifiers."""
    for table in (*_BUILD, reference, member):
        if table is not identifier_locator:
            key = table.c.owner_key if table is member else table.c.patient_key
            here = of_row(table.c.rid, rid)
            connection.execute(table.delete().where(key == patient_key, here))


def built(rows: IndexRows, type: str, key: int, rid: int) -> Batch:
    """Return the table rows of a resource, those of references left out."""
    return {table: _with_contained(build, rows, type, key, rid) for table, build in _BUILD.items()}


def _with_contained(build: "_Build", rows: IndexRows, type: str, key: int, rid: int) -> list[Row]:
    made = build(rows, type, key, rid)
    for n, one in enumerate(rows.inside, 1):
        made += build(one, type, key, place(rid, n))
    return made


def _references(
    write: Write, done: Written, keys: Keys, gone: Batch, rows: Batch, old: IndexRows
) -> None:
    """References are numbered, so a change replaces them all; further patients go with them."""
    key, rid = done.patient_key, done.rid
    for nth, one in enumerate((old, *old.inside)):
        if one.reference:
            some = ((key, place(rid, nth), n) for n in range(len(one.reference)))
            gone.setdefault(reference, []).extend(some)
    if old.reference:
        before = member_rows(old.reference, _owner_key(write, done), rid, keys)
        # Filed: they have the new owner already, who is a further patient no more.
        gone.setdefault(member, []).extend((who, key, rid, via) for who, _, _, via in before)
    if write.draft is None:
        return
    new = write.draft.rows
    for nth, one in enumerate((new, *new.inside)):
        if one.reference:
            made = reference_rows(one.reference, key, rid, keys, nth=nth)
            rows.setdefault(reference, []).extend(made)
    further = member_rows(new.reference, key, rid, keys)
    if further:
        rows.setdefault(member, []).extend(further)


def _owner_key(write: Write, done: Written) -> int:
    """Return the key that the resource was under before this write, its own where it is new."""
    return write.current.patient_key if write.current else done.patient_key


def _token(rows: IndexRows, _type: str, key: int, rid: int) -> list[Row]:
    return [
        (key, rid, row[0], some.element, *row[1:])
        for some in (rows, *rows.parts)
        for row in dict.fromkeys(some.token)
    ]


def _date(rows: IndexRows, _type: str, key: int, rid: int) -> list[Row]:
    return [
        (key, rid, param, some.element, low, high)
        for some in (rows, *rows.parts)
        for param, low, high in dict.fromkeys(some.date)
    ]


def _string(rows: IndexRows, _type: str, key: int, rid: int) -> list[Row]:
    found = [(some.element, row) for some in (rows, *rows.parts) for row in some.string]
    return [
        (key, rid, param, element, value, n, folded, original)
        for n, (element, (param, value, folded, original)) in enumerate(dict.fromkeys(found))
    ]


def _quantity(rows: IndexRows, _type: str, key: int, rid: int) -> list[Row]:
    found = [(some.element, row) for some in (rows, *rows.parts) for row in some.quantity]
    return [
        (key, rid, param, element, low, high, n, *units)
        for n, (element, (param, low, high, *units)) in enumerate(dict.fromkeys(found))
    ]


def _uri(rows: IndexRows, _type: str, key: int, rid: int) -> list[Row]:
    unique = {
        (param, some.element, hash): value
        for some in (rows, *rows.parts)
        for param, hash, value in some.uri
    }
    return [(key, rid, *place, value) for place, value in unique.items()]


def _position(rows: IndexRows, _type: str, key: int, rid: int) -> list[Row]:
    return [(key, rid, *row) for row in rows.position]


def _identifier(rows: IndexRows, type: str, key: int, rid: int) -> list[Row]:
    number = type_number(type)
    return [(hash, number, key, rid, value) for hash, value in dict.fromkeys(rows.identifier)]


def _full_text(rows: IndexRows, _type: str, key: int, rid: int) -> list[Row]:
    return [(key, rid, *row) for row in rows.text]


_Build = Callable[[IndexRows, str, int, int], list[Row]]
_BUILD: dict[Table, _Build] = {
    token: _token,
    date: _date,
    string: _string,
    quantity: _quantity,
    uri: _uri,
    position: _position,
    identifier_locator: _identifier,
    full_text: _full_text,
}


def primary_key(table: Table, row: Row) -> Row:
    """Return the primary key of a row of an index table, in the key's order."""
    return tuple(row[position] for position in _KEY_POSITIONS[table])


_KEY_POSITIONS = {
    table: [list(table.columns).index(column) for column in table.primary_key.columns]
    for table in (*_BUILD, reference, member)
}
