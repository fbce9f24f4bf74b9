"""One test of a `_filter`: what an operator asks of a parameter of its kind.

R4 search_filter.html §3.1.3.2, whose table says which operators a kind has. "For detailed rules
about the operators eq, ne, le, ge, lt, gt, sa, and eb see Search Prefixes": numbers, quantities and
dates are compared as by those, so that `birthdate eq 1948` finds who was born in that year. `ss`,
`sb`, `in`, `ni` and `co`, `sw` of strings are what modifiers ask; the rest is a `Comparison`. The
page has no column for a uri, which is compared as a string is.
"""

from ehr.errors import Invalid
from ehr.search.grammar.criterion import named, of_types, read_criterion
from ehr.search.grammar.refusals import shown
from ehr.search.parameters.custom import NO_CUSTOM, Custom
from ehr.search.parameters.supported import ROW_PARAMETERS
from ehr.search.request import Comparison, Condition, Criterion, Negation, Written
from fhir_profiles.search_parameters import SearchParameter

_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_TEXTS = ("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le")
_OPERATORS = {
    "string": (*_TEXTS, "pr"),
    "uri": (*_TEXTS, "pr"),
    "number": (*_PREFIXES, "pr"),
    "quantity": (*_PREFIXES, "pr"),
    "date": (*_PREFIXES, "co", "po", "pr"),
    "token": ("eq", "ne", "in", "ni", "ss", "sb", "pr"),
    "reference": ("re", "pr"),
    "composite": ("eq",),
}
_MODIFIERS = {
    ("string", "co"): ":contains",
    ("string", "sw"): "",
    ("token", "in"): ":in",
    ("token", "ni"): ":not-in",
    ("token", "ss"): ":below",
    ("token", "sb"): ":above",
}
# "predefined and can be used in place of their associated full namespace"
_SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ucum": "http://unitsofmeasure.org",
}


def read_test(
    types: tuple[str, ...],
    code: str,
    operator: str,
    value: str,
    written: Written,
    custom: Custom,
) -> Condition:
    """Return the condition that `code operator value` holds; raise Invalid where none can say."""
    parameters = named(types, code, custom)
    kind = parameters[0].kind
    _check(types, parameters, operator)
    if operator == "pr":
        return _criterion(types, f"{code}:missing", _absent(value), written, custom)
    if code in ROW_PARAMETERS:
        return _of_row(types, code, operator, value, written)
    if (kind, operator) in _MODIFIERS:
        name = code + _MODIFIERS[kind, operator]
        return _criterion(types, name, _escaped(kind, value), written, custom)
    if kind in ("number", "quantity") or (kind == "date" and operator in _PREFIXES):
        return _criterion(types, code, _prefixed(kind, operator, value), written, custom)
    if kind in ("reference", "composite") or _is_caseless(kind, operator, value):
        return _criterion(types, code, _escaped(kind, value), written, custom)
    return Comparison(written, parameters, operator, _namespace(kind, value))


def part_value(parameter: SearchParameter, operator: str, value: str) -> str:
    """Return the text of one part of a composite; only equality can be asked of it."""
    if operator != ("re" if parameter.kind == "reference" else "eq"):
        raise Invalid(
            f"`{operator}` cannot be asked of `{parameter.code}` where it must meet another value: "
            "only `eq`, and `re` of a reference, can.",
            code="not-supported",
        )
    return _escaped(parameter.kind, value).replace("$", "\\$")


def _check(types: tuple[str, ...], parameters: tuple[SearchParameter, ...], operator: str) -> None:
    first = parameters[0]
    kinds = {parameter.kind for parameter in parameters}
    if len(kinds) > 1:
        raise Invalid(f"`{first.code}`{of_types(types)} is of several kinds. Name one type.")
    is_kept = first.expression or first.components or first.code in ROW_PARAMETERS
    valid = _OPERATORS.get(first.kind, ()) if is_kept else ()
    if operator not in valid:
        choices = f"It has: {', '.join(valid)}." if valid else "Use it as a parameter of its own."
        raise Invalid(
            f"`{operator}` in `_filter` is not for `{first.code}`, a {first.kind} parameter. "
            f"{choices}",
            code="not-supported",
        )


def _absent(value: str) -> str:
    """`pr`: "The set is empty or not (value is false or true)"."""
    if value not in ("true", "false"):
        raise Invalid(f"`pr` in `_filter` is `{shown(value)}`. It must be `true` or `false`.")
    return "false" if value == "true" else "true"


def _of_row(
    types: tuple[str, ...], code: str, operator: str, value: str, written: Written
) -> Condition:
    """Return the condition on what every resource has exactly once."""
    if code == "_lastUpdated":
        # An instant overlaps with a period, or includes one, where it lies in it.
        prefix = operator if operator in _PREFIXES else "eq"
        return _criterion(types, code, _prefixed("date", prefix, value), written, NO_CUSTOM)
    if operator not in ("eq", "ne"):
        raise Invalid("`_id` in `_filter` has only: eq, ne.", code="not-supported")
    same = _criterion(types, code, _escaped("string", value), written, NO_CUSTOM)
    return same if operator == "eq" else Negation(written, same)


def _prefixed(kind: str, operator: str, value: str) -> str:
    if value[:1].isalpha():
        # `ge2014` would be read as a prefix of its own.
        raise Invalid(f"`{shown(value)}` in `_filter` is no {kind}.", code="value")
    return operator + _escaped(kind, value)


def _is_caseless(kind: str, operator: str, value: str) -> bool:
    """Tell whether no case is left to be ignored, so that the index finds a token by its hash."""
    code = value.rpartition("|")[2]
    return kind == "token" and operator == "eq" and (code.lower() == code.upper() or not code)


def _criterion(
    types: tuple[str, ...], name: str, value: str, written: Written, custom: Custom
) -> Criterion:
    read = read_criterion(types, name, value, custom)
    return Criterion(written, read.parameters, read.modifier, read.values)


def _namespace(kind: str, value: str) -> str:
    """Put a code system's uri in place of its short name."""
    parts = value.split("|")
    at = {"token": 0, "quantity": 1}.get(kind)
    if at is not None and len(parts) > at + 1 and parts[at] in _SYSTEMS:
        parts[at] = _SYSTEMS[parts[at]]
    return "|".join(parts)


def _escaped(kind: str, value: str) -> str:
    """Return a value as a parameter would have it: a comma here separates nothing."""
    marks = _ESCAPED.get(kind, ",")
    text = _namespace(kind, value)
    return "".join(f"\\{one}" if one in marks else one for one in text)


# "For token, the format is the same as the existing search parameter": it may have escapes.
_ESCAPED = {"string": "\\,$|", "uri": "\\,$|", "date": "\\,$|"}
