"""Types: `is`, `as`, `ofType`, `type` (FHIRPath N1 §6.3, FHIR R4 §2.9.1.1).

FHIR.boolean is not System.Boolean. A data type or resource fits its ancestors; for `as` and
`ofType` a primitive has to be exactly the one asked for, as in the reference implementation.
"""

from collections.abc import Callable
from typing import Any

from ..environment import Environment
from ..errors import FhirPathError, FhirPathSyntaxError
from ..model import SYSTEM_TYPES, is_fhir_type, is_primitive, is_subtype
from ..nodes import Collection, Node
from ..syntax import TypeName
from ..values import EMPTY, boolean, system_type
from .signature import TYPES, Function, values

Predicate = Callable[[Any], bool]


def predicate(name: TypeName, *, exact: bool, infix: bool = False) -> Predicate:
    """Return the test of a type specifier; FhirPathSyntaxError when there is no such type."""
    _require_known(name)
    wanted = name.name
    # R4's own que-7 says `answer is Boolean` of FHIR booleans: the operator ignores case there.
    folded = wanted[:1].lower() + wanted[1:]
    fitting = (
        {wanted, folded} if infix and not name.namespace and is_primitive(folded) else {wanted}
    )

    def fits(item: Any) -> bool:
        if type(item) is not Node:
            return name.namespace != "FHIR" and wanted in ("Any", system_type(item))
        if name.namespace == "System" or not item.type:
            return False
        if item.type in fitting:
            return True
        if exact and is_primitive(wanted):
            return False
        return is_subtype(item.type, wanted)

    return fits


def _require_known(name: TypeName) -> None:
    # System.Patient is false of everything but no mistake: the name is known.
    spaces = {"": True, "System": True, "FHIR": is_fhir_type(name.name)}
    known = name.name in SYSTEM_TYPES or is_fhir_type(name.name)
    if not known or not spaces.get(name.namespace, False):
        shown = f"{name.namespace}.{name.name}" if name.namespace else name.name
        raise FhirPathSyntaxError(f"There is no type {shown}")


def is_(items: Collection, env: Environment, fits: Predicate) -> Collection:
    """Tell whether the only item is of the type."""
    if len(items) > 1:
        raise FhirPathError(f"is takes one item and got {len(items)}")
    return boolean(fits(items[0])) if items else EMPTY


def as_(items: Collection, env: Environment, fits: Predicate) -> Collection:
    """Return the only item if it is of the type."""
    if len(items) > 1:
        raise FhirPathError(f"as() takes one item and got {len(items)}; use ofType()")
    return of_type(items, env, fits)


def of_type(items: Collection, env: Environment, fits: Predicate) -> Collection:
    """Keep the items of the type."""
    return [item for item in items if fits(item)]


def type_(items: Collection, env: Environment) -> Collection:
    """Return namespace and name of the type of each item."""
    return [Node(_described(item)) for item in items]


def _described(item: Any) -> dict[str, str]:
    if type(item) is Node:
        return {"namespace": "FHIR", "name": item.type or "Element"}
    return {"namespace": "System", "name": system_type(item)}


FUNCTIONS = {
    "is": Function(is_, 1, 1, TYPES), "as": Function(as_, 1, 1, TYPES),
    "ofType": Function(of_type, 1, 1, TYPES), "type": values(type_),
}  # fmt: skip
