"""All FHIRPath functions by name, one module per idea of the specification."""

from . import (
    boundaries,
    conversion,
    existence,
    fhir,
    filtering,
    mathematics,
    strings,
    subsetting,
    tree,
    types,
)
from .signature import CRITERIA, TYPES, VALUES, Function, Order

__all__ = ["CRITERIA", "FUNCTIONS", "TYPES", "VALUES", "Function", "Order"]

FUNCTIONS: dict[str, Function] = {
    name: function
    for module in (
        boundaries, conversion, existence, fhir, filtering, mathematics, strings, subsetting,
        tree, types,
    )
    for name, function in module.FUNCTIONS.items()
}  # fmt: skip
