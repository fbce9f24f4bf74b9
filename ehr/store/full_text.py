"""Words of resources, found by engine: FTS5 on SQLite, `tsvector` on PostgreSQL.

Both see the same words: they come normalised and spelt in ASCII letters and digits
(`ehr/search/values/words.py`), so that neither engine's own idea of a word matters. On SQLite the
words of `full_text` are kept once more in `full_text_words`: `insert_rows` puts them in, a trigger
takes them out; each row of it also has its key as a word, so that a search within a patient stays
within.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    column,
    func,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.sql import literal_column

from ehr.store.engine import is_postgres
from ehr.store.tables import BOUNDARY

_FTS = table("full_text_words", column("rowid"))
# What a new row of `full_text` has, as its own values: key, rid, narrative, content.
WORDS_OF_ROW = """
INSERT INTO full_text_words (rowid, owner, narrative, content)
VALUES (?2, 'k' || replace(?1, '-', 'm'), coalesce(?3, ''), ?4)"""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another; one alone is a phrase as well."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Each of these parts, and none of those without."""

    parts: tuple["Words", ...]
    without: tuple["Words", ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these parts."""

    parts: tuple["Words", ...]


Words = Phrase | All | Either


def has_words(
    connection: Connection,
    t: FromClause,
    wanted: Sequence[Words],
    *,
    narrative: bool,
    keys: Sequence[int] | None,
) -> ColumnElement[bool]:
    """Return the condition that a row of `full_text` has any of these, in its narrative or at all.

    `keys` are those that the row lies under, None where any.
    """
    if is_postgres(connection):
        return or_(*(_postgres(t, each, narrative=narrative) for each in wanted))
    columns = "{narrative}" if narrative else "{narrative content}"
    # One query for all: conditions side by side soon are more than SQLite nests.
    query = f"{columns} : ({_fts5(Either(tuple(wanted)))})"
    if keys is not None:
        owners = " OR ".join(_owner(key) for key in keys)
        query = f"(owner : ({owners})) AND ({query})"
    matches = literal_column("full_text_words").op("MATCH")(query)
    return t.c.rid.in_(select(_FTS.c.rowid).where(matches))


def _owner(key: int) -> str:
    return f"k{key}".replace("-", "m")


def _fts5(wanted: Words) -> str:
    match wanted:
        case Phrase(words):
            return f'"{" ".join(words)}"'
        case Either(parts):
            return " OR ".join(f"({_fts5(part)})" for part in parts)
        case All(parts, without):
            every = " AND ".join(f"({_fts5(part)})" for part in parts)
            none = " OR ".join(f"({_fts5(part)})" for part in without)
            return f"({every}) NOT ({none})" if none else every


def _postgres(t: FromClause, wanted: Words, *, narrative: bool) -> ColumnElement[bool]:
    # As the index has it: what stands without is not told by the index where it asks for less.
    indexed = func.to_tsvector(
        text("'simple'"), func.coalesce(t.c.narrative, "").op("||")(BOUNDARY).op("||")(t.c.content)
    )
    whole = indexed.op("@@")(func.to_tsquery(text("'simple'"), _tsquery(wanted)))
    if not narrative:
        return whole
    there = indexed.op("@@")(func.to_tsquery(text("'simple'"), _tsquery(_positive(wanted))))
    own = func.to_tsvector(text("'simple'"), t.c.narrative)
    return and_(there, own.op("@@")(func.to_tsquery(text("'simple'"), _tsquery(wanted))))


def _tsquery(wanted: Words) -> str:
    match wanted:
        case Phrase(words):
            return f"({' <-> '.join(words)})"
        case Either(parts):
            return f"({' | '.join(_tsquery(part) for part in parts)})"
        case All(parts, without):
            every = [_tsquery(part) for part in parts] + [f"!{_tsquery(part)}" for part in without]
            return f"({' & '.join(every)})"


def _positive(wanted: Words) -> Words:
    match wanted:
        case Phrase():
            return wanted
        case Either(parts):
            return Either(tuple(map(_positive, parts)))
        case All(parts):
            return replace(wanted, parts=tuple(map(_positive, parts)), without=())
