"""Lists of (patient_key, rid) as one bound value, so that a statement's text never grows with them.

A step that leaves a key gives such a list, and the next statement takes it in: by `unnest` on
PostgreSQL, by `json_each` on SQLite. Lists of hashes with texts go the same way.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Text,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB

from ehr.store.engine import is_postgres

Pair = tuple[int, int]
Named = tuple[int, str]


def in_pairs(
    connection: Connection,
    key: ColumnElement[int],
    rid: ColumnElement[int],
    pairs: Collection[Pair],
) -> ColumnElement[bool]:
    """Return the condition that (key, rid) is one of these pairs."""
    if not pairs:
        return false()
    return tuple_(key, rid).in_(select(*_pair_table(connection, pairs).c))


def in_keys(
    connection: Connection, column: ColumnElement[int], keys: Collection[int]
) -> ColumnElement[bool]:
    """Return the condition that a column is one of these numbers."""
    if not keys:
        return false()
    listed = _pair_table(connection, [(key, 0) for key in keys])
    return column.in_(select(listed.c.patient_key))


def in_named(
    connection: Connection,
    number: ColumnElement[int],
    text: ColumnElement[str],
    names: Collection[Named],
) -> ColumnElement[bool]:
    """Return the condition that (number, text) is one of these."""
    if not names:
        return false()
    return tuple_(number, text).in_(select(*_name_table(connection, names).c))


def _name_table(connection: Connection, names: Collection[Named]) -> FromClause:
    text = bindparam(None, json.dumps(list(names)), type_=Text, unique=True)
    if is_postgres(connection):
        listed = func.jsonb_array_elements(cast(text, JSONB)).table_valued("value").render_derived()
        value = listed.c.value.op("->>")
        return select(
            cast(value(literal_column("0")), BigInteger).label("number"),
            value(literal_column("1")).label("text"),
        ).subquery()
    listed = func.json_each(text).table_valued("value")
    return select(
        func.json_extract(listed.c.value, "$[0]", type_=BigInteger).label("number"),
        func.json_extract(listed.c.value, "$[1]", type_=Text).label("text"),
    ).subquery()


def _pair_table(connection: Connection, pairs: Collection[Pair]) -> FromClause:
    """Return the pairs as a table with columns `patient_key` and `rid`."""
    if is_postgres(connection):
        keys, rids = (",".join(str(pair[i]) for pair in pairs) for i in (0, 1))
        listed = func.unnest(_array(keys), _array(rids)).table_valued("patient_key", "rid")
        return listed.render_derived()
    text = bindparam(None, json.dumps(list(pairs)), type_=Text, unique=True)
    listed = func.json_each(text).table_valued("value")
    return select(
        func.json_extract(listed.c.value, "$[0]", type_=BigInteger).label("patient_key"),
        func.json_extract(listed.c.value, "$[1]", type_=BigInteger).label("rid"),
    ).subquery()


def _array(numbers: str) -> ColumnElement[Any]:
    # As text: a list of numbers would be sent as whatever integer type the driver thinks fits.
    text = bindparam(None, numbers, type_=Text, unique=True)
    # PostgreSQL does not work `concat` out when it plans. So plans do not go by how long a list is:
    # one that is kept is then as good as a new one, and is taken (0.9 ms less).
    return cast(func.string_to_array(func.concat(text), ","), ARRAY(BigInteger))
