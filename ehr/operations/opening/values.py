"""What the operations are asked, read strictly from a Parameters body: never from an address.

A reason or a text may say something of the patient, and addresses are logged.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ehr.access.terms import Terms
from ehr.errors import PASSED_OVER, Invalid, Unprocessable
from ehr.messages import Interaction, Resource
from ehr.operations import given
from ehr.store.bodies import instant
from fhir_profiles import json_format
from fhir_profiles.own_codes import OWN_CODES

Told = tuple[str, str, Any]  # name, type, value

SHORTEST_TEXT, LONGEST_TEXT = 10, 2000
_SHAPING = ("_summary", "_elements")


@dataclass(frozen=True, slots=True)
class Values:
    """The parameters by name, each of which comes once at most; `places` are their FHIRPaths."""

    operation: str
    found: Mapping[str, Resource]
    places: Mapping[str, str]

    def at(self, name: str) -> str:
        """Return the place of a parameter, or where it is missing."""
        return self.places.get(name, "Parameters.parameter")

    def wrong(self, name: str, text: str, code: str = "value") -> Unprocessable:
        """Return the refusal of a parameter."""
        return Unprocessable(text, code=code, expression=self.at(name))

    def value(self, name: str, *kinds: str) -> Any:
        """Return the value of a parameter in one of these types (`String`), None without it."""
        if name not in self.found:
            return None
        one = self.found[name]
        for kind in kinds:
            if f"value{kind}" in one:
                return one[f"value{kind}"]
        raise self.wrong(name, f"Send `{name}` as value{' or value'.join(kinds)}.", "structure")

    def needed(self, name: str, *kinds: str) -> Any:
        """Return a value as `value` does. Raises Unprocessable without it."""
        value = self.value(name, *kinds)
        if value is None:
            raise self.wrong(name, f"Send `{name}`: ${self.operation} needs it.", "required")
        return value

    def text(self, name: str, *, least: int = SHORTEST_TEXT, needed: bool = True) -> str:
        """Return a text in words. Raises Unprocessable for one that says nothing, or too much."""
        sent = self.needed(name, "String") if needed else self.value(name, "String")
        if sent is None:
            return ""
        words = " ".join(sent.split()) if isinstance(sent, str) else ""
        if not least <= len(words) <= LONGEST_TEXT:
            raise self.wrong(
                name, f"Write `{name}` in {least} to {LONGEST_TEXT} characters: others read it."
            )
        return words

    def coding(self, name: str, system: str) -> Resource:
        """Return a Coding of the value set that goes with a system of ours; a valueCode names the
        code alone. Raises Unprocessable for any other."""
        codes = OWN_CODES[system].chosen
        sent = self.needed(name, "Coding", "Code")
        is_whole = isinstance(sent, dict)
        named, code = (sent.get("system"), sent.get("code")) if is_whole else (None, sent)
        for known, listed in codes.items():
            if str(code) in listed and (named == known or not is_whole):
                return {"system": known, "code": code, "display": listed[str(code)]}
        possible = ", ".join(sorted(code for listed in codes.values() for code in listed))
        raise self.wrong(name, f"`{name}` is none of these codes: {possible}.", "code-invalid")

    def moment(self, name: str, terms: Terms) -> tuple[int, int]:
        """Return what a date or instant spans, [first, end) in ms."""
        sent = self.needed(name, "Instant", "DateTime", "Date")
        span = terms.moment(sent)
        if span is None:
            raise self.wrong(name, f"Write `{name}` as {instant(1_795_000_000_000)}.")
        return span

    def whole(self, name: str, default: int, most: int) -> int:
        """Return a whole number from 0 to `most`."""
        sent = self.value(name, "UnsignedInt", "PositiveInt", "Integer")
        if sent is None:
            return default
        if not isinstance(sent, int) or isinstance(sent, bool) or not 0 <= sent <= most:
            raise self.wrong(name, f"`{name}` is a whole number from 0 to {most}.")
        return sent


def read(interaction: Interaction, known: Collection[str]) -> Values:
    """Return the parameters. Raises Invalid for those that are not known, or in the address."""
    operation = interaction.operation or ""
    lenient = interaction.preferences.lenient
    for name, _ in interaction.params:
        if name not in _SHAPING:
            raise Invalid(
                f"${operation} takes its parameters in a Parameters body, not in the address.",
                expression=name[:80],
            )
    found: dict[str, Resource] = {}
    places: dict[str, str] = {}
    for number, one in enumerate(given.parameters(interaction)):
        name, place = one["name"], f"Parameters.parameter[{number}]"
        if name not in known:
            if lenient:
                continue
            raise Invalid(
                f"`{name[:80]}` is no parameter of ${operation}. Possible: "
                f"{', '.join(sorted(known))}. {PASSED_OVER}",
                code="not-supported",
                expression=place,
            )
        if name in found:
            raise Invalid(f"`{name}` is given twice. Send it once.", expression=place)
        found[name], places[name] = one, place
    return Values(operation, found, places)


def answer(*parameters: Told) -> bytes:
    """Return a Parameters of (name, type, value), those without a value left out.

    An Instant is told in ms. A parameter without a type has parts, which are told likewise.
    """
    body: Resource = {"resourceType": "Parameters", "parameter": _listed(parameters)}
    return json_format.serialise(body)


def _listed(parameters: Sequence[Told]) -> list[Resource]:
    found: list[Resource] = []
    for name, type, value in parameters:
        if not type:
            found.append({"name": name, "part": _listed(value)})
        elif value:
            told = instant(value) if type == "Instant" else value
            found.append({"name": name, f"value{type}": told})
    return found
