"""A search as data: what `grammar/query.py` understood of the text, before any table is known.

FHIR R4 §3.1.1 (Search). Everything is frozen; one request may be compiled for either engine.
"""

from dataclasses import dataclass
from typing import Literal

from fhir_profiles.issues import Issue
from fhir_profiles.search_parameters import SearchParameter

Written = tuple[str, str]  # a parameter's name and value, decoded, as the caller wrote them
Summary = Literal["", "true", "false", "count", "text", "data"]
Total = Literal["", "none", "estimate", "accurate"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One test of a resource: `parameters` has one entry per type asked for, in their order.

    `values` are the alternatives, still escaped: the parameter's type undoes `\\$`, `\\|`, `\\,`.
    """

    written: Written
    parameters: tuple[SearchParameter, ...]
    modifier: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """`subject:Patient.name=…`: the reference leads to a resource that passes `inner`.

    `inner` holds one condition per target type that the chain may lead to.
    """

    written: Written
    parameters: tuple[SearchParameter, ...]
    inner: tuple[tuple[str, "Condition"], ...]


@dataclass(frozen=True, slots=True)
class Reverse:
    """`_has:Observation:patient:code=…`: such a resource that passes `inner` refers to this one."""

    written: Written
    parameter: SearchParameter
    inner: "Condition"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A test of `_filter` that no other parameter can make: one value of the resource meets it.

    `operator` is that of R4 §3.1.3.2; `value` is as meant, nothing in it is escaped.
    """

    written: Written
    parameters: tuple[SearchParameter, ...]
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Parts of a `_filter` that all hold."""

    written: Written
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Parts of a `_filter` of which one holds."""

    written: Written
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """A part of a `_filter` that does not hold."""

    written: Written
    part: "Condition"


Condition = Criterion | Chain | Reverse | Comparison | AllOf | AnyOf | Negation


@dataclass(frozen=True, slots=True)
class SortKey:
    """One part of `_sort`; `parameters` has one entry per type asked for."""

    code: str
    descending: bool
    parameters: tuple[SearchParameter, ...]


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` or `_revinclude` (`reverse`): follow these parameters of `source`.

    `parameters` is empty for the wildcard, `source` is then a type or None for any; the wildcard
    means those of R4 and `further` ones.
    """

    written: Written
    reverse: bool
    iterate: bool
    source: str | None
    parameters: tuple[SearchParameter, ...]
    target: str | None
    further: tuple[SearchParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Compartment:
    """`Patient/23/Observation`: only what stands in that compartment; `of` None is `*`."""

    type: str
    id: str
    of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A whole search. `types` is empty when all types are asked for; `count` None is the default.

    `understood` is what `self` echoes; `ignored` says what was left out under lenient handling.
    """

    types: tuple[str, ...] = ()
    compartment: Compartment | None = None
    conditions: tuple[Condition, ...] = ()
    sort: tuple[SortKey, ...] = ()
    count: int | None = None
    includes: tuple[Include, ...] = ()
    summary: Summary = ""
    elements: tuple[str, ...] = ()
    total: Total = ""
    cursor: str | None = None
    understood: tuple[Written, ...] = ()
    ignored: tuple[Issue, ...] = ()
    lenient: bool = False

    @property
    def counts_only(self) -> bool:
        """Tell whether only the number of matches is asked for (`_summary=count`, `_count=0`)."""
        return self.summary == "count" or self.count == 0
