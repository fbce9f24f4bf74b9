"""What stands beside codes: `:text` of concepts, `:of-type` of identifiers (R4 search.html
§3.1.1.4.10).

`:text` "is processed as a string that searches text associated with the code/value - either
CodeableConcept.text, Coding.display, or Identifier.type.text". Such rows stand once for an element,
whichever parameters select it: under the element's path, or under ids of the parameters where the
path does not say enough.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.search.matching import Condition, MatchContext, RowAlias, any_of, some_row
from ehr.search.parameters import string
from ehr.search.values.escapes import refuse, split
from ehr.store import tables
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from fhir_profiles.extraction import Leaf, Sink, leaves
from fhir_profiles.identity import beside_id, stable_id
from fhir_profiles.search_parameters import SearchParameter

WORDED = frozenset(("CodeableConcept", "Coding", "Identifier"))

Ids = Callable[[tuple[int, ...]], tuple[int, ...]]


def beside(leaf: Leaf, what: str) -> Ids:
    """Return the function from parameter ids to the ids of rows for what stands beside a code."""
    if leaf.by_path:
        own = (stable_id(f"{leaf.path}:{what}"),)
        return lambda _: own
    return lambda params: tuple(beside_id(param, what) for param in params)


def ids_beside(parameter: SearchParameter, what: str) -> list[int]:
    """Return the ids of all rows of a parameter for what stands beside its codes."""
    found = {
        id for leaf in leaves(parameter) for id in beside(leaf, what)((parameter.param_id,))
    }  # fmt: skip
    return sorted(found)


def sink(leaf: Leaf) -> Sink:
    """Return the function that emits the rows of a text."""
    ids = beside(leaf, "text")

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        key, folded = string.folded_key(value)
        if key:
            rows.string.extend((id, key, folded, None) for id in ids(params))

    return emit


def type_sink(leaf: Leaf, hasher: Hasher) -> Sink:
    """Return the function that emits a row for each type of an identifier, with its value."""
    ids = beside(leaf, "of-type")

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        text = value.get("value")
        for coding in value["type"].get("coding", ()):
            if text is not None and "code" in coding:
                typed = hasher.once(_typed(coding.get("system", ""), coding["code"], text))
                rows.token.extend((id, typed, 0, None) for id in ids(params))

    return emit


def _typed(system: str, code: str, value: str) -> str:
    return "\x1f".join((system, code, value))


def clause(
    row: RowAlias, parameter: SearchParameter, values: Sequence[str], context: MatchContext
) -> ColumnElement[bool]:
    """Return the condition of `:text`: "the search functions as a normal string search"."""
    ids = ids_beside(parameter, "text")
    read = string.choices(parameter, None, values, context)
    return some_row(
        tables.string, row, context, lambda t: and_(t.c.param.in_(ids), any_of(read(t)))
    )


def of_type(parameter: SearchParameter, values: Sequence[str], context: MatchContext) -> Condition:
    """Return the condition of `:of-type=system|code|value`: "All 3 parts must be present"."""
    ids, hashes = ids_beside(parameter, "of-type"), []
    for value in values:
        parts = split(parameter, value, "|")
        if len(parts) != 3 or not all(parts):
            raise refuse(
                parameter, value, "a typed identifier: system|code|value, the type's first"
            )
        hashes.append(context.hasher.once(_typed(*parts)))

    def condition(t: FromClause) -> ColumnElement[bool]:
        return and_(t.c.param.in_(ids), t.c.code.in_(hashes))

    return condition
