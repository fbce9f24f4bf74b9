"""What one parameter of a search asks of a resource: criteria, chains, `_has`, `_list`.

FHIR R4 §3.1.1.4 (search parameters), §3.1.1.4.15 (chains), §3.1.1.4.16 (`_has`).
"""

import time
from dataclasses import dataclass, field

from tests.spec.oracle import amounts, concepts, dates, definitions, places, references, tokens
from tests.spec.oracle.definitions import SearchParameter
from tests.spec.oracle.elements import Element
from tests.spec.oracle.population import Item, Population
from tests.spec.oracle.texts import element_texts, split, string_matches, unescape, uri_matches


@dataclass(frozen=True)
class Asking:
    """What an answer depends on beside the request: the resources, the hour, and a choice.

    `convert`: quantities are compared in canonical units, as servers may (§3.1.1.4.11).
    """

    population: Population
    now: float = field(default_factory=time.time)
    convert: bool = False


def holds(asking: Asking, item: Item, name: str, value: str) -> bool:
    """Tell whether a resource meets one parameter of the request."""
    if name.startswith("_has:"):
        return _reverse(asking, item, name, value)
    if name == "_list":
        return any(_is_listed(asking, item, each) for each in split(value, ","))
    if "." in name:
        return _chain(asking, item, name, value)
    code, _, modifier = name.partition(":")
    parameter = _known(item.type, code)
    return criterion(asking, item, parameter, modifier or None, value)


def _known(type: str, code: str) -> SearchParameter:
    parameter = definitions.parameter(type, code)
    if parameter is None:
        raise LookupError(f"{type} has no parameter {code}")
    return parameter


def _chain(asking: Asking, item: Item, name: str, value: str) -> bool:
    """Follow `subject:Patient.name` or `subject.name`: some target must meet the rest."""
    head, _, rest = name.partition(".")
    code, _, type = head.partition(":")
    for target in targets(asking, item, _known(item.type, code)):
        if type and target.type != type:
            continue
        try:
            if holds(asking, target, rest, value):
                return True
        except LookupError:
            if type:
                raise
            # Of the types that an untyped chain leads to, those count that know the rest.
    return False


def targets(asking: Asking, item: Item, parameter: SearchParameter) -> list[Item]:
    """Return the resources that a reference parameter of a resource leads to.

    "A chained condition will be evaluated inside contained resources" (§3.1.1.5.5).
    """
    return [
        target
        for each in asking.population.elements(item, parameter)
        for target in asking.population.targets(item, each, parameter.targets)
    ]


def refers(asking: Asking, source: Item, parameter: SearchParameter, target: Item) -> bool:
    """Tell whether a resource refers to another by this parameter."""
    return any(found.is_same(target) for found in targets(asking, source, parameter))


def _reverse(asking: Asking, item: Item, name: str, value: str) -> bool:
    """Look for one resource that refers to this one and meets `_has:Type:reference:rest`."""
    _, source, code, rest = name.split(":", 3)
    parameter = _known(source, code)
    return any(
        refers(asking, each, parameter, item) and holds(asking, each, rest, value)
        for each in asking.population.of_type(source)
    )


def _is_listed(asking: Asking, item: Item, id: str) -> bool:
    found = asking.population.by_name.get(f"List/{unescape(id)}")
    if found is None:
        return False
    return refers(asking, found, _known("List", "item"), item)


def criterion(
    asking: Asking, item: Item, parameter: SearchParameter, modifier: str | None, value: str
) -> bool:
    """Tell whether a resource meets a parameter: one of the values, on one of the elements."""
    elements = asking.population.elements(item, parameter)
    if modifier == "missing":
        # "all the resources that don't have a value for the … parameter" (§3.1.1.4.4)
        found = any(has_value(asking, each, parameter) for each in elements)
        return found is (value == "false")
    values = split(value, ",")
    if modifier in ("not", "not-in"):
        # "the negation applies to the set, not each individual entry" (§3.1.1.4.10)
        positive = None if modifier == "not" else "in"
        return not any(
            _meets(asking, item, each, parameter, positive, text)
            for text in values
            for each in elements
        )
    return any(
        _meets(asking, item, each, parameter, modifier, text)
        for text in values
        for each in elements
    )


def has_value(asking: Asking, element: Element, parameter: SearchParameter) -> bool:
    """Tell whether an element holds a value that this kind of parameter looks at."""
    match parameter.kind:
        case "token":
            return bool(tokens.element_tokens(element))
        case "string":
            return bool(element_texts(element))
        case "date":
            return dates.element_span(element) is not None
        case "number" | "quantity":
            return amounts.element_amount(element) is not None
        case "reference":
            if isinstance(element.value, dict) and "identifier" in element.value:
                return True
            return asking.population.named(element) is not None
        case _:
            return True


def _meets(
    asking: Asking,
    item: Item,
    element: Element,
    parameter: SearchParameter,
    modifier: str | None,
    text: str,
) -> bool:
    match parameter.kind:
        case "string":
            return any(
                string_matches(modifier, unescape(text), each) for each in element_texts(element)
            )
        case "uri":
            return uri_matches(modifier, unescape(text), element.value)
        case "date":
            span = dates.element_span(element)
            return span is not None and dates.matches(text, span, now=asking.now)
        case "number" | "quantity":
            amount = amounts.element_amount(element)
            wanted = amounts.read(text)
            return amount is not None and amounts.matches(wanted, amount, convert=asking.convert)
        case "token":
            return any(
                _token(asking, modifier, text, each) for each in tokens.element_tokens(element)
            )
        case "reference":
            return _reference(asking, element, modifier, text)
        case "composite":
            return _composite(asking, item, element, parameter, text)
        case "special" if parameter.code == "near":
            return places.is_near(text, element)
        case _:
            raise LookupError(f"{parameter.code} is of kind {parameter.kind}")


def _token(asking: Asking, modifier: str | None, text: str, token: tokens.Token) -> bool:
    match modifier:
        case None:
            return tokens.matches(text, token)
        case "text":
            return tokens.text_matches(text, token)
        case "of-type":
            return tokens.of_type_matches(text, token)
        case "in":
            return concepts.in_value_set(asking.population, text, token)
        case _:
            return concepts.related(asking.population, modifier, text, token)


def _reference(asking: Asking, element: Element, modifier: str | None, text: str) -> bool:
    if modifier == "identifier":
        return references.identifier_matches(text, element)
    population = asking.population
    named = population.named(element)
    if named is None:
        return False
    if modifier in ("above", "below"):
        return _in_hierarchy(population, modifier, text, named)
    return references.matches(text, modifier, named, population.base)


def _in_hierarchy(
    population: Population, modifier: str, text: str, named: references.Named
) -> bool:
    """Tell whether a target is below (above) the one asked for, itself included (§3.1.1.4.14)."""
    start = population.by_name.get(named.local or "")
    asked = next(
        (item for item in population.items if references.matches(
            text, start.type if start else None, references.literal(item.name, ""), population.base
        )),
        None,
    )  # fmt: skip
    if asked is None or start is None:
        return False
    low, high = (start, asked) if modifier == "below" else (asked, start)
    seen: set[str] = set()
    while low.name not in seen:
        if low.name == high.name:
            return True
        seen.add(low.name)
        low = _parent(population, low) or low
    return False


def _parent(population: Population, item: Item) -> Item | None:
    value = item.resource.get("partOf")
    above = population.targets(item, Element("Reference", value, value)) if value else []
    # A contained one is in no hierarchy that could be named.
    return next((each for each in above if each.container is None), None)


def _composite(
    asking: Asking, item: Item, element: Element, parameter: SearchParameter, text: str
) -> bool:
    """Tell whether each part of `a$b` holds on one and the same element (§3.1.1.4.17)."""
    parts = definitions.components(parameter)
    return all(
        any(
            _meets(asking, item, each, part, None, wanted)
            for each in asking.population.select(item, expression, element.node)
        )
        for (part, expression), wanted in zip(parts, split(text, "$"), strict=True)
    )
