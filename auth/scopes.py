"""SMART scopes: parsed once, compared as what they permit, written back as they were asked for.

SMART App Launch 2.2, *Scopes and Launch Context*. A resource scope is
`(patient|user|system)/(Type|*).letters[?name=value&…]`; letters are a part of `cruds` in that
order, or the words of SMART v1. Within one context scopes add up; between what is asked, held and
registered only what both permit is left. What can't be read is kept apart and never interpreted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from fhir_profiles.definitions import is_resource_type

LETTERS = "cruds"
ANY = "*"
# Words that ask for something else than resources.
WORDS = frozenset(
    {
        "openid",
        "profile",
        "fhirUser",
        "launch",
        "launch/patient",
        "launch/encounter",
        "offline_access",
        "online_access",
    }
)
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE = re.compile(r"(patient|user|system)/([A-Za-z]+|\*)\.([a-z]+|\*)(?:\?(.+))?")
_IN_ORDER = re.compile("c?r?u?d?s?")
_LONGEST = 16_384  # characters of all scopes together
_MOST = 500

Filter = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ResourceScope:
    """Some interactions with the resources of one type, or of any (`*`), that meet a filter.

    `filter` holds search parameters and values in order; `written` is the scope as it was asked
    for, and no part of what is compared.
    """

    context: str
    type: str
    letters: str
    filter: Filter = ()
    written: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.written or f"{self.context}/{self.type}.{self.letters}{_query(self.filter)}"

    def concerns(self, type: str) -> bool:
        """Tell whether it says anything of this type."""
        return self.type in (ANY, type)

    def covers(self, other: "ResourceScope") -> bool:
        """Tell whether it alone permits all that the other permits."""
        return (
            self.context == other.context
            and self.type in (ANY, other.type)
            and set(other.letters) <= set(self.letters)
            and all(any(_implies(each, mine) for each in other.filter) for mine in self.filter)
        )


@dataclass(frozen=True, slots=True)
class Scopes:
    """What was asked for or granted. `unknown` are the parts that no rule can read."""

    resources: tuple[ResourceScope, ...] = ()
    words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([*self.words, *map(str, self.resources)])

    def __bool__(self) -> bool:
        return bool(self.resources or self.words)

    def has(self, *words: str) -> bool:
        """Tell whether one of these words is among the scopes."""
        return any(word in self.words for word in words)

    def of(self, context: str) -> "tuple[ResourceScope, ...]":
        """Return the resource scopes of one context."""
        return tuple(one for one in self.resources if one.context == context)

    def covers(self, wanted: "Scopes") -> bool:
        """Tell whether nothing is wanted beyond these: letter by letter, words by themselves."""
        return all(word in self.words for word in wanted.words) and all(
            _is_covered(one, self.resources) for one in wanted.resources
        )

    def within(self, limit: "Scopes") -> "Scopes":
        """Return what these and `limit` both permit, scope by scope; words only where both have.

        A scope that `limit` covers stays as it was written.
        """
        words = tuple(word for word in self.words if word in limit.words)
        left: dict[ResourceScope, None] = {}
        for one in self.resources:
            if _is_covered(one, limit.resources):
                left[one] = None
            else:
                left.update(dict.fromkeys(_shared(one, limit.resources)))
        return Scopes(tuple(left), words)

    def without(self, *words: str) -> "Scopes":
        """Return these scopes less some words."""
        return Scopes(self.resources, tuple(one for one in self.words if one not in words))


NONE = Scopes()


def parse(text: str) -> Scopes:
    """Read scopes that are parted by spaces; what can't be read is `unknown`.

    Raises ValueError where there are too many to be meant.
    """
    parts = [part for part in text.split(" ") if part]
    if len(text) > _LONGEST or len(parts) > _MOST:
        raise ValueError(f"More than {_MOST} scopes, or {_LONGEST} characters of them.")
    resources: dict[ResourceScope, None] = {}
    words: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for part in parts:
        if part in WORDS:
            words[part] = None
        elif (one := parse_one(part)) is not None:
            resources[one] = None
        else:
            unknown[part] = None
    return Scopes(tuple(resources), tuple(words), tuple(unknown))


def parse_one(text: str) -> ResourceScope | None:
    """Read one resource scope; None where it is none."""
    found = _SCOPE.fullmatch(text)
    if found is None:
        return None
    context, type, rights, query = found.groups()
    letters = _V1.get(rights) or (rights if _IN_ORDER.fullmatch(rights) else "")
    if not letters or not (type == ANY or is_resource_type(type)):
        return None
    filter = _filter(query)
    # SMART v1 has no filters.
    if filter is None or (filter and rights in _V1):
        return None
    return ResourceScope(context, type, letters, filter, text)


def union(*some: Scopes) -> Scopes:
    """Return all that any of these permit."""
    resources = dict.fromkeys(one for each in some for one in each.resources)
    words = dict.fromkeys(word for each in some for word in each.words)
    return Scopes(tuple(resources), tuple(words))


def _implies(narrow: tuple[str, str], wide: tuple[str, str]) -> bool:
    """Tell whether what has one of the values of the first parameter has one of the second."""
    if narrow == wide:
        return True
    if narrow[0] != wide[0] or "\\" in narrow[1] + wide[1]:
        return False
    return set(narrow[1].split(",")) <= set(wide[1].split(","))


def _is_covered(wanted: ResourceScope, held: Iterable[ResourceScope]) -> bool:
    """Tell whether each letter is covered by one of those held."""
    held = tuple(held)
    return all(any(one.covers(_only(wanted, letter)) for one in held) for letter in wanted.letters)


def _only(one: ResourceScope, letters: str) -> ResourceScope:
    return ResourceScope(one.context, one.type, letters, one.filter)


def _shared(one: ResourceScope, limits: Iterable[ResourceScope]) -> Iterable[ResourceScope]:
    for limit in limits:
        letters = "".join(letter for letter in one.letters if letter in limit.letters)
        types = {one.type, limit.type}
        if one.context != limit.context or not letters or not (ANY in types or len(types) == 1):
            continue
        type = limit.type if one.type == ANY else one.type
        filter = tuple(sorted({*one.filter, *limit.filter}))
        yield ResourceScope(one.context, type, letters, filter)


def _filter(query: str | None) -> Filter | None:
    """Read the query of a granular scope, in an order of its own; None where it is malformed."""
    if query is None:
        return ()
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError:
        return None
    if not all(name and value for name, value in pairs):
        return None
    return tuple(sorted(set(pairs)))


def _query(filter: Filter) -> str:
    if not filter:
        return ""
    safe = ":/|,$*"
    return "?" + "&".join(f"{quote(n, safe=safe)}={quote(v, safe=safe)}" for n, v in filter)
