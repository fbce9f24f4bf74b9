"""What turns the elements that a parameter selects into index rows: one line for each kind."""

from collections.abc import Callable
from functools import cache

from ehr.search.parameters import (
    date,
    near,
    number,
    quantity,
    reference_rows,
    string,
    token,
    uri,
)
from ehr.store.hashing import Hasher
from fhir_profiles.definitions import type_definition, type_names
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter

_Make = Callable[[Leaf, Hasher, str, tuple[str, ...]], Sink | None]

_MAKE: dict[str, _Make] = {
    "token": lambda leaf, hasher, *_: token.sink(leaf, hasher),
    "string": lambda leaf, *_: string.sink(leaf),
    "date": lambda leaf, _, timezone, __: date.sink(leaf, timezone),
    "number": lambda leaf, *_: number.sink(leaf),
    "quantity": lambda leaf, hasher, *_: quantity.sink(leaf, hasher),
    "uri": lambda leaf, hasher, *_: uri.sink(leaf, hasher),
    "special": lambda leaf, *_: near.sink(leaf),
    "reference": lambda leaf, hasher, _, bases: reference_rows.sink(leaf, hasher, bases),
}


def sink(
    parameter: SearchParameter,
    leaf: Leaf,
    hasher: Hasher,
    timezone: str,
    base_urls: tuple[str, ...],
) -> Sink | None:
    """Return what emits rows for these elements; None where the parameter can't use them."""
    make = _MAKE.get(parameter.kind)
    return make(leaf, hasher, timezone, base_urls) if make else None


@cache
def indexable(kind: str) -> frozenset[str]:
    """Return the types of elements that a kind of parameter can be indexed by."""
    make, hasher = _MAKE[kind], Hasher(b"any")
    return frozenset(
        name
        for name in type_names()
        if type_definition(name).kind != "resource"
        and make(Leaf("", "", name, None, by_path=False), hasher, "UTC", ()) is not None
    )
