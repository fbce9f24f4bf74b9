"""Values that only FHIRPath itself can find, by their types, for expressions that steps can't say.

`search_expressions.py` has refused what depends on more than the resource, so that one resource
always gives the same values. Work is bounded by steps, not by time, for the same reason.
"""

from collections.abc import Callable, Mapping
from functools import cache
from math import inf
from typing import Any

from fhir_profiles.definitions import is_resource_type
from fhir_profiles.fhirpath import FhirPathError, Node, compile
from fhir_profiles.fhirpath.values import plain, system_type

Values = Mapping[str, list[Any]]  # type -> values of it, in their order
Evaluation = Callable[[dict[str, Any], Any], Values]

# Every write pays for it: a tenth of a second at most, and so many index rows.
_STEPS, _VALUES = 100_000, 10_000
# What FHIR calls the types that an expression makes by itself.
_OF_SYSTEM = {
    "Boolean": "boolean",
    "String": "string",
    "Integer": "integer",
    "Decimal": "decimal",
    "Date": "date",
    "DateTime": "dateTime",
    "Time": "time",
    "Quantity": "Quantity",
}


@cache
def evaluation(expression: str) -> Evaluation:
    """Return the function from a resource to the values of an expression.

    Where the expression does not fit a resource it has no value there; its text is then added to
    `rows.failed`.
    """
    compiled = compile(expression)

    def evaluate(resource: dict[str, Any], rows: Any) -> Values:
        found: dict[str, list[Any]] = {}
        try:
            nodes = compiled.nodes(resource, resolve=_of_its_type, seconds=inf, steps=_STEPS)
            if len(nodes) > _VALUES:
                raise FhirPathError(f"The expression finds more than {_VALUES} values")
            for node in nodes:
                value = plain(node)
                if value is not None:
                    found.setdefault(_type(node), []).append(value)
        except FhirPathError:
            rows.failed.append(expression)
            return {}
        return found

    return evaluate


def _type(node: Any) -> str:
    return node.type if isinstance(node, Node) else _OF_SYSTEM.get(system_type(node), "")


def _of_its_type(reference: str) -> dict[str, Any] | None:
    """Return all that is known of the target of a reference: its type."""
    path = reference.partition("/_history/")[0].split("/")
    known = len(path) > 1 and is_resource_type(path[-2])
    return {"resourceType": path[-2]} if known else None
