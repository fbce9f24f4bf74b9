"""Searches that may find something in a population: any parameter, its modifiers, chains, sorts.

A query says which features of search it uses, so that refusals can be counted by feature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from tests.spec.oracle import definitions
from tests.spec.oracle.amounts import element_amount
from tests.spec.oracle.dates import PREFIXES
from tests.spec.oracle.definitions import SearchParameter
from tests.spec.oracle.elements import Element
from tests.spec.oracle.made_filters import Filters
from tests.spec.oracle.made_values import (
    CODES,
    HIERARCHY,
    HIERARCHY_CODES,
    NUMBERS,
    POSITIONS,
    SYSTEMS,
    UNITS,
    URLS,
    VALUE_SETS,
    Maker,
)
from tests.spec.oracle.population import Item
from tests.spec.oracle.search import Oracle
from tests.spec.oracle.texts import element_texts
from tests.spec.oracle.tokens import Token, element_tokens

_SORTED = frozenset({"date", "string", "quantity", "number", "uri", "token"})
_HOPS = 2
_CODED = ["in", "not-in", "above", "below"]
_NESTED = frozenset({"Encounter", "Location", "Organization"})
# Reference parameters whose targets lie in one another.
_HIERARCHIES = frozenset({"partof", "part-of", "location", "organization", "service-provider"})


@dataclass(frozen=True)
class Query:
    """A request with the features of search that it needs."""

    request: str
    features: frozenset[str]


def query(rng: Random, oracle: Oracle) -> Query:
    """Return a search on the oracle's population."""
    return _Writer(rng, oracle).query()


class _Writer(Maker):
    """Writes one query."""

    def __init__(self, rng: Random, oracle: Oracle) -> None:
        super().__init__(rng)
        self.population = oracle.asking.population
        self.features: set[str] = set()

    def query(self) -> Query:
        """Write the path, some conditions, maybe an order or what should come along."""
        path, type = self._path()
        if not path:
            return self._of_types(type)
        pairs = [self._condition(type) for _ in range(self.pick((1, 1, 1, 2, 2, 3)))]
        if self.rng.random() < 0.15:
            pairs.append(("_sort", self._sort(type)))
        if self.rng.random() < 0.15:
            pairs += self._includes(type)
        if self.rng.random() < 0.08:
            self.features.add("_filter")
            pairs[0] = "_filter", Filters(self.rng, self.population).filter(type)
        if len(pairs) > 1:
            self.features.add("and")
        return self._written(path, pairs)

    def _written(self, path: str, pairs: list[tuple[str, str]]) -> Query:
        written = "&".join(f"{quote(name, safe=':')}={quote(value)}" for name, value in pairs)
        return Query(f"{path}?{written}", frozenset(self.features))

    def _several_types(self) -> str:
        items = self.population.items
        return ",".join(dict.fromkeys(self.pick(items).type for _ in range(3)))

    def _of_types(self, types: str) -> Query:
        """Search several types at once, by what all of them have."""
        self.features.add("_type")
        names = types.split(",")
        first, *others = ({each.code for each in definitions.searchable(type)} for type in names)
        shared = first.intersection(*others)
        pairs = [("_type", types)]
        for _ in range(self.pick((1, 2))):
            parameter = self._parameter(self.pick(names), shared=shared)
            modifier, value = self._value(parameter, names)
            pairs.append((parameter.code + (f":{modifier}" if modifier else ""), value))
        return self._written("", pairs)

    def _path(self) -> tuple[str, str]:
        item = self.pick(self.population.items)
        if self.rng.random() < 0.5:
            # Types of which there are few have their turn too.
            types = sorted({each.type for each in self.population.items})
            item = self.population.of_type(self.pick(types))[0]
        if self.rng.random() < 0.03:
            return "", self._several_types()
        if self.rng.random() < 0.04:
            focus = self.pick(self.population.of_type("Patient"))
            if definitions.compartment_codes("Patient", item.type):
                self.features.add("compartment")
                return f"{focus.name}/{item.type}", item.type
        return item.type, item.type

    def _parameter(
        self, type: str, kind: str | None = None, shared: set[str] | None = None
    ) -> SearchParameter:
        every = [
            each
            for each in definitions.searchable(type)
            if kind in (None, each.kind) and (shared is None or each.code in shared)
        ]
        used = [each for each in every if self._elements(type, each)]
        # Most often one that some resource has a value for.
        return self.pick(used if used and self.rng.random() < 0.85 else every)

    def _elements(self, type: str, parameter: SearchParameter) -> list[tuple[Item, Element]]:
        return self.population.values(type, parameter)

    def _condition(self, type: str, hops: int = 0) -> tuple[str, str]:
        draw = self.rng.random()
        if hops < _HOPS and draw < 0.15:
            chain = self._chain(type, hops)
            if chain:
                return chain
        if hops < _HOPS and draw > 0.90:
            reverse = self._reverse(type, hops)
            if reverse:
                return reverse
        if type == "Location" and 0.80 < draw < 0.88:
            self.features.add("near")
            latitude, longitude = self.pick(POSITIONS)
            distance = self.pick(("1|km", "10|km", "1000|m", "100", "300|km", "25000|km"))
            return "near", f"{latitude}|{longitude}|{distance}"
        if hops == 0 and 0.88 < draw < 0.89:
            self.features.add("_list")
            return "_list", self.pick(self.population.of_type("List")).name.partition("/")[2]
        parameter = self._parameter(type)
        modifier, value = self._value(parameter)
        return parameter.code + (f":{modifier}" if modifier else ""), value

    def _chain(self, type: str, hops: int) -> tuple[str, str] | None:
        steps = [
            (parameter, target, definitions.is_canonical(element.type))
            for parameter in definitions.reference_parameters(type)
            for item, element in self._elements(type, parameter)
            for target in self.population.targets(item, element, parameter.targets)
        ]
        # The less common ways to refer have their turn too.
        rare = [each for each in steps if each[2] or each[1].container]
        if not steps:
            return None
        parameter, target, canonical = self.pick(
            rare if rare and self.rng.random() < 0.5 else steps
        )
        named = self.rng.random() < 0.6 or len(parameter.targets) > 8
        if named and target.type not in parameter.targets and parameter.targets:
            return None
        rest, value = self._condition(target.type, hops + 1)
        if not named and rest.startswith("_"):
            # Every target type knows these: that is more than a chain may branch into.
            named = True
        if target.container is not None:
            self.features.add("chain into contained")
        if canonical:
            self.features.add("chain through canonical")
        self.features.add("chain" if named else "chain untyped")
        return f"{parameter.code}{':' + target.type if named else ''}.{rest}", value

    def _reverse(self, type: str, hops: int) -> tuple[str, str] | None:
        source = self.pick(self.population.items)
        references = [
            each
            for each in definitions.reference_parameters(source.type)
            if type in each.targets and self.population.elements(source, each)
        ]
        if not references:
            return None
        self.features.add("_has")
        rest, value = self._condition(source.type, hops + 1)
        return f"_has:{source.type}:{self.pick(references).code}:{rest}", value

    def _sort(self, type: str) -> str:
        codes: dict[str, None] = {}
        for _ in range(self.pick((1, 1, 2))):
            kinds = {each.kind for each in definitions.searchable(type)} & _SORTED
            parameter = self._parameter(type, self.pick(("date", *sorted(kinds))))
            self.features.add(f"_sort {parameter.kind}")
            codes[parameter.code] = None
        return ",".join(self.pick(("", "-")) + code for code in codes)

    def _includes(self, type: str) -> list[tuple[str, str]]:
        made = []
        for _ in range(self.pick((1, 1, 2))):
            include = self._include(type)
            if include:
                made.append(include)
        return made

    def _include(self, type: str) -> tuple[str, str] | None:
        reverse = self.rng.random() < 0.4
        source = self.pick(self.population.items).type if reverse else type
        references = definitions.reference_parameters(source)
        if reverse:
            references = [each for each in references if type in each.targets]
        if not references:
            return None
        parameter = self.pick(references)
        word, target = ("_revinclude" if reverse else "_include"), ""
        if self.rng.random() < 0.3 and parameter.targets:
            target = ":" + (type if reverse else self.pick(parameter.targets))
        if self.rng.random() < 0.3:
            self.features.add(f"{word}:iterate")
            return f"{word}:iterate", f"{source}:{parameter.code}{target}"
        if self.rng.random() < 0.1 and not reverse:
            self.features.add(f"{word} of all")
            return word, f"{source}:*"
        self.features.add(word)
        return word, f"{source}:{parameter.code}{target}"

    def _value(
        self, parameter: SearchParameter, names: Sequence[str] = ()
    ) -> tuple[str | None, str]:
        """Return a modifier, or none, and a value for a parameter, of these types as well."""
        if parameter.kind != "composite" and self.rng.random() < 0.07:
            self.features.add(":missing")
            return "missing", self.pick(("true", "false"))
        found = self._elements(parameter.type, parameter)
        modifier = self._modifier(parameter, names)
        several = 1 if self.rng.random() < 0.8 else self.rng.randint(2, 3)
        if several > 1:
            self.features.add("or")
        self.features.add(f"{parameter.kind}:{modifier}" if modifier else parameter.kind)
        if parameter.code.startswith("_"):
            self.features.add(parameter.code)
        return modifier, ",".join(
            self._one_value(parameter, modifier, found) for _ in range(several)
        )

    def _modifier(self, parameter: SearchParameter, names: Sequence[str]) -> str | None:
        """Return a modifier that the elements found give a meaning to, or none."""
        if parameter.code == "_id" or self.rng.random() < 0.6:
            return None
        types = {each.type for _, each in self._elements(parameter.type, parameter)}
        alike = [one for type in names for one in definitions.searchable(type)
                 if one.code == parameter.code]  # fmt: skip
        everywhere = types.union(
            *({each.type for _, each in self._elements(one.type, one)} for one in alike)
        )
        choices: list[str] = []
        if parameter.kind == "string":
            choices = ["exact", "contains"]
        elif parameter.kind == "uri":
            choices = ["below", "above"]
        elif parameter.kind == "token":
            choices = ["not", "not"]
            choices += ["text"] if types & {"CodeableConcept", "Coding", "Identifier"} else []
            choices += ["of-type"] if "Identifier" in types else []
            # What the system of a `code` is, the oracle does not know.
            is_coded = types & {"CodeableConcept", "Coding"} and "code" not in everywhere
            choices += _CODED if is_coded else []
        elif parameter.kind == "reference" and "Reference" in types:
            choices = ["identifier", *parameter.targets[:4]]
            choices += ["above", "below"] if parameter.code in _HIERARCHIES else []
        return self.pick(choices) if choices else None

    def _one_value(
        self, parameter: SearchParameter, modifier: str | None, found: list[tuple[Item, Element]]
    ) -> str:
        item, element = self.pick(found) if found else (None, None)
        makers: dict[str, Callable[[Element | None], str]] = {
            "string": lambda each: self._string(each, modifier),
            "token": lambda each: self._token(each, modifier, parameter),
            "date": lambda each: self._date(each, parameter),
            "number": self._amount,
            "quantity": self._quantity,
            "uri": lambda each: self._uri(each, modifier),
            "reference": lambda each: self._reference(each, modifier, parameter),
        }
        if parameter.kind == "composite":
            return self._composite(parameter, item, element)
        return makers[parameter.kind](element)

    def _composite(
        self, parameter: SearchParameter, item: Item | None, element: Element | None
    ) -> str:
        if parameter.expression != parameter.type:
            self.features.add("composite in a repeated element")
        texts = []
        for part, expression in definitions.components(parameter):
            inside = (
                self.population.select(item, expression, element.node) if item and element else []
            )
            found = [(item, each) for each in inside if item]
            self.features.add(part.kind)
            texts.append(self._one_value(part, None, found))
        return "$".join(texts)

    def _string(self, element: Element | None, modifier: str | None) -> str:
        texts = element_texts(element) if element else []
        text = self.pick(texts) if texts and self.rng.random() < 0.8 else self.word()
        draw = self.rng.random()
        if modifier != "exact" or draw < 0.3:
            start = self.rng.randrange(len(text)) if modifier == "contains" else 0
            length = self.rng.randint(1, len(text) - start)
            text = text[start : start + length] if draw < 0.7 else text
            text = self.pick((text, text.upper(), text.lower(), text))
        # What is left of a text without letters, R4 does not say.
        return _escaped(text) if any(each.isalnum() for each in text) else "a"

    def _token(
        self, element: Element | None, modifier: str | None, parameter: SearchParameter
    ) -> str:
        tokens = element_tokens(element) if element else []
        token = self.pick(tokens) if tokens and self.rng.random() < 0.8 else None
        token = token or Token(self.pick(SYSTEMS), self.pick(CODES), (self.word(),))
        if modifier == "text":
            return _escaped(self.pick(token.texts)[:3].strip() or "a") if token.texts else "a"
        if modifier in ("in", "not-in"):
            return self.pick(VALUE_SETS)
        if modifier in ("above", "below"):
            return f"{HIERARCHY}|{_escaped(self.pick(HIERARCHY_CODES))}"
        if modifier == "of-type":
            system, code = self.pick(token.types) if token.types else (self.pick(SYSTEMS), "a")
            parts = (system or self.pick(SYSTEMS), code or "a", token.code or "a")
            return "|".join(_escaped(each) for each in parts)
        code = _escaped(token.code or self.pick(CODES))
        if parameter.code == "_id":
            return str(element.value) if element and self.rng.random() < 0.8 else "gone"
        if element is None or element.type not in ("Coding", "CodeableConcept", "Identifier"):
            # "the presence of the pipe symbol SHALL NOT be used" with most other types, and what
            # the system of a `code` is, the oracle does not know.
            return self.pick((code, code, code.upper()))
        system = _escaped(token.system or self.pick(SYSTEMS))
        return self.pick((code, f"{system}|{code}", f"|{code}", f"{system}|", f"{system}|{code}"))

    def _date(self, element: Element | None, parameter: SearchParameter) -> str:
        text = self.moment()
        if element and self.rng.random() < 0.7:
            texts = [
                each for each in _leaves(element.value)
                if isinstance(each, str) and each[:2] in ("19", "20")
            ]  # fmt: skip
            text = self.pick(texts) if texts else text
            if self.rng.random() < 0.5:
                text = text[: self.pick((4, 7, 10))]
        if parameter.code == "_lastUpdated":
            # A tenth of the way from now to just now is over before it is compared.
            return self._prefixed(text, PREFIXES[:-1])
        return self._prefixed(text)

    def _prefixed(self, text: str, prefixes: tuple[str, ...] = PREFIXES) -> str:
        prefix = self.pick(("", "", *prefixes))
        if prefix:
            self.features.add(f"prefix {prefix}")
        return prefix + text

    def _amount(self, element: Element | None) -> str:
        amount = element_amount(element) if element else None
        text = self.pick(NUMBERS)
        if amount and self.rng.random() < 0.7:
            numbers = [str(each) for each in _leaves(element and element.value) if _is_number(each)]
            text = self.pick(numbers) if numbers else text
        return self._prefixed(text)

    def _quantity(self, element: Element | None) -> str:
        number = self._amount(element)
        system, code, unit = self.pick(UNITS)
        if element and isinstance(element.value, dict) and self.rng.random() < 0.7:
            amount = element_amount(element)
            if amount:
                system, code = amount.system or system, amount.code or code
        return self.pick(
            (number, number, f"{number}|{system}|{code}", f"{number}||{code}",
             f"{number}||{unit}", f"{number}|{system}|")
        )  # fmt: skip

    def _uri(self, element: Element | None, modifier: str | None) -> str:
        text = element.value if element and self.rng.random() < 0.7 else self.pick(URLS)
        if modifier and text.startswith("urn:"):
            text = URLS[0]  # "only apply to URLs, and not URNS such as OIDs" (§3.1.1.4.9)
        cut = self.rng.randint(9, len(text)) if self.rng.random() < 0.3 else len(text)
        return _escaped(self.pick((text, text, text[:cut], text + "/x", text + "x")))

    def _reference(
        self, element: Element | None, modifier: str | None, parameter: SearchParameter
    ) -> str:
        if modifier == "identifier":
            value = element.value if element and isinstance(element.value, dict) else {}
            identifier = value.get("identifier") or self.identifier()
            code = _escaped(identifier.get("value") or self.pick(CODES))
            return f"{_escaped(identifier.get('system') or '')}|{code}"
        named = self.population.named(element) if element else None
        if modifier in ("above", "below"):
            type = self.pick(
                [each for each in parameter.targets if each in _NESTED] or ["Location"]
            )
            return f"{type}/{self.pick(('0', '1', '2'))}"
        type = modifier or self.pick(parameter.targets or ("Patient",))
        local = f"{type}/{self.pick(('0', '1', '2', 'gone'))}"
        if named and named.local and (not modifier or named.local.startswith(f"{modifier}/")):
            local = named.local if self.rng.random() < 0.8 else local
        elif named and named.url and not modifier:
            return _escaped(named.url)
        return self.pick((local, local, local.partition("/")[2], f"{self.population.base}/{local}"))


def _escaped(text: str) -> str:
    for character in "\\,$|":
        text = text.replace(character, f"\\{character}")
    return text


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value]


def _is_number(value: object) -> bool:
    return not isinstance(value, bool | str) and value is not None
