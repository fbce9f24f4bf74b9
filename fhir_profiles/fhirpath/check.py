"""Static check of an expression against the R4 model: does every element it names exist?

FHIRPath N1 §10.2 "Strict evaluation" of types. Evaluation itself is lenient, as R4 wants it: an
element that a type does not have gives an empty collection. The check tells a person who writes a
search parameter, invariant or patch that the name is wrong.
"""

from .errors import FhirPathError
from .model import RESOURCE, is_fhir_type, is_subtype, step
from .syntax import Ast, Binary, Call, Indexer, Member, Special, TypeTest, Unary, type_name

Types = frozenset[str] | None  # None: not known here

_KEEP = frozenset(
    {"where", "first", "last", "tail", "skip", "take", "single", "distinct", "trace", "sort"}
    | {"exclude", "intersect", "checkModifiers"}
)
_ORDERED = frozenset({"first", "last", "tail", "skip", "take"})
_INNER = frozenset(
    {"where", "select", "all", "exists", "repeat", "aggregate", "sort", "trace", "iif"}
)


def check(tree: Ast, type_name: str) -> None:
    """Raise FhirPathError at the first name that this type, or what follows, does not have."""
    types_of(tree, type_name)


def types_of(tree: Ast, type_name: str) -> Types:
    """Return the types that the results may have; raise like `check`."""
    return _types(tree, frozenset({type_name}) if type_name else None)


def _types(node: Ast, this: Types) -> Types:
    match node:
        case Member():
            return _of_member(node, this)
        case Call():
            return _of_call(node, this)
        case Special(name="this"):
            return this
        case Indexer(source=source, index=index):
            _types(index, this)
            _require_order(source, node.at)
            return _types(source, this)
        case TypeTest(operator=operator, operand=operand, type=wanted):
            _types(operand, this)
            return frozenset({wanted.name}) if operator == "as" else None
        case Unary(operand=operand):
            _types(operand, this)
        case Binary(operator=operator, left=left, right=right):
            one, other = _types(left, this), _types(right, this)
            if operator == "|" and one is not None and other is not None:
                return one | other
    return None


def _of_member(node: Member, this: Types) -> Types:
    if node.source is None and node.name[:1].isupper() and is_fhir_type(node.name):
        if this is not None and not any(_related(each, node.name) for each in this):
            found = " or ".join(sorted(this))
            raise FhirPathError(f"The context is {found}, never {node.name}", node.at)
        return frozenset({node.name})
    owners = this if node.source is None else _types(node.source, this)
    if owners is None or not all(is_fhir_type(each) for each in owners):
        return None
    steps = [step(each, node.name) for each in owners]
    if not any(each.kind for each in steps):
        found = " or ".join(sorted(owners))
        raise FhirPathError(f"{found} has no element {node.name}", node.at)
    found_types: set[str] = set()
    for each in steps:
        if each.kind == RESOURCE:
            return None
        found_types.update(each.choices.values())
        if each.type:
            found_types.add(each.type)
    return frozenset(found_types)


def _related(one: str, other: str) -> bool:
    return is_subtype(one, other) or is_subtype(other, one)


def _of_call(node: Call, this: Types) -> Types:
    source = this if node.source is None else _types(node.source, this)
    if node.name in ("is", "as", "ofType"):
        wanted = type_name(node.arguments[0])
        return frozenset({wanted.name}) if wanted is not None and node.name != "is" else None
    if node.name in _ORDERED and node.source is not None:
        _require_order(node.source, node.at)
    if node.name == "repeat":
        # What is found is searched again: its type is known only once.
        _types(node.arguments[0], source)
        return None
    found = [_types(each, source if node.name in _INNER else this) for each in node.arguments]
    if node.name in _KEEP:
        return source
    if node.name == "extension":
        return frozenset({"Extension"})
    return found[0] if node.name == "select" else None


def _require_order(source: Ast, at: int) -> None:
    if isinstance(source, Call) and source.name in ("children", "descendants"):
        raise FhirPathError(f"{source.name}() has no order to rely on", at)
