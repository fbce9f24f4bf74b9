"""What a `$reindex` is asked to do: of which types, for which parameters, or everything."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ehr.errors import Invalid
from fhir_profiles.definitions import is_resource_type


@dataclass(frozen=True, slots=True)
class Asked:
    """`types` None are all. `parameters` are urls or codes of definitions, none means all of them.

    Where parameters are named only rows that lack them are made; else each row is compared. Types
    alone are compared by the definitions that there are: others take effect without them.
    """

    types: tuple[str, ...] | None = None
    parameters: tuple[str, ...] = ()

    @property
    def compares(self) -> bool:
        """Tell whether rows are compared with what is there, whatever made them."""
        return not self.parameters

    def text(self) -> str:
        """Return what was asked, as it is kept."""
        return json.dumps({"types": self.types, "parameters": self.parameters})

    def joined(self, other: "Asked") -> "Asked":
        """Return what does both."""
        types: tuple[str, ...] | None = None
        if self.types is not None and other.types is not None:
            types = tuple(sorted({*self.types, *other.types}))
        whole = self.compares or other.compares
        return Asked(types, () if whole else tuple(sorted({*self.parameters, *other.parameters})))


def asked(types: Sequence[str], parameters: Sequence[str]) -> Asked:
    """Return what is asked for. Raises Invalid for types that R4 does not have."""
    for name in types:
        if not is_resource_type(name):
            raise Invalid(f"`{name[:80]}` is no resource type of R4.", expression="type")
    return Asked(tuple(sorted(set(types))) or None, tuple(sorted(set(parameters))))


def read(text: str) -> Asked:
    """Return what was kept."""
    found = json.loads(text)
    types = found["types"]
    return Asked(None if types is None else tuple(types), tuple(found["parameters"]))
