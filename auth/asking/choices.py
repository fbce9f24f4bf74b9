"""What a consent page offers, and what the ticked boxes grant.

Each scope that may be granted becomes one box to see and one to add or change. A scope for a whole
type such as Observation has narrower boxes that may be ticked in its place (SMART App Launch 2.2,
*granular scopes*); one for everything (`*`) has a box for each kind. Where some of the narrower are
ticked, they count and the wide one does not, ticked or not: who chose some means those. What lies
within a wide box has none beside it. What comes back from the page is only held against the same
offer made again: a box that was not offered grants nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from auth.asking.kinds import BY_CATEGORY, CATEGORIES, NOT_OF_A_PERSON, WORDS, listed, things
from auth.scopes import ANY, LETTERS, Filter, ResourceScope, Scopes

# Asked for by a box of its own; all other words are told, and no choice.
STAYING = ("offline_access", "online_access")
_VERBS = {"c": "add", "u": "change", "d": "delete"}
_READING = frozenset("rs")

_Place = tuple[str, str, Filter]  # context, type, filter


@dataclass(frozen=True, slots=True)
class Offer:
    """One box. `narrower` may be ticked in its place; `value` names the scope, or is a word."""

    value: str
    text: str
    scope: ResourceScope | None = None
    narrower: "tuple[Offer, ...]" = ()

    @property
    def is_everything(self) -> bool:
        """Tell whether it is of every kind of information."""
        return self.scope is not None and self.scope.type == ANY and not self.scope.filter


def offers(grantable: Scopes) -> tuple[Offer, ...]:
    """Return the boxes for resources, in the order of `kinds.WORDS`."""
    parts = [
        ResourceScope(place[0], place[1], part, place[2])
        for place, letters in sorted(_places(grantable.resources).items(), key=_order)
        for part in _parts(letters)
    ]
    return tuple(
        _offer(one)
        for one in parts
        if not any(other.covers(one) for other in parts if other is not one)
    )


def staying(grantable: Scopes) -> Offer | None:
    """Return the box for access that goes on, where it was asked for."""
    if grantable.has("offline_access"):
        return Offer("offline_access", "Keep its access when you are not using it")
    if grantable.has("online_access"):
        return Offer("online_access", "Keep its access while you are signed in here")
    return None


def granted(grantable: Scopes, ticked: Iterable[str]) -> Scopes:
    """Return what the ticked boxes grant of what may be granted, as it was asked for if it can."""
    ticked = set(ticked)
    chosen = [one for offer in offers(grantable) for one in _chosen(offer, ticked)]
    words = tuple(word for word in grantable.words if word not in STAYING or word in ticked)
    return Scopes(tuple(_written(_places(chosen), grantable.resources)), words)


def sentence(scope: ResourceScope) -> str:
    """Say what a scope permits, as a command: "See allergies and bad reactions"."""
    verbs = ["see"] if _READING & set(scope.letters) else []
    verbs += [verb for letter, verb in _VERBS.items() if letter in scope.letters]
    what = "everything" if scope.type == ANY else things(scope.type, scope.filter)
    text = f"{listed(verbs)} {what}"
    return text[0].upper() + text[1:]


def _offer(scope: ResourceScope) -> Offer:
    return Offer(_value(scope), sentence(scope), scope, tuple(map(_offer, _narrower(scope))))


def _narrower(scope: ResourceScope) -> Iterable[ResourceScope]:
    if scope.filter:
        return
    kinds = [type for type in WORDS if type not in NOT_OF_A_PERSON]
    for type in kinds if scope.type == ANY else (scope.type,):
        categories = CATEGORIES.get(type, {})
        if scope.type == ANY and type not in BY_CATEGORY:
            categories = {}
            yield ResourceScope(scope.context, type, scope.letters)
        for category in categories:
            yield ResourceScope(scope.context, type, scope.letters, (("category", category),))


def _chosen(offer: Offer, ticked: set[str]) -> Iterable[ResourceScope]:
    if offer.scope is None:
        return
    narrower = [one.scope for one in offer.narrower if one.scope and one.value in ticked]
    if narrower:
        yield from narrower
    elif offer.value in ticked:
        yield offer.scope


def _places(scopes: Iterable[ResourceScope]) -> Mapping[_Place, str]:
    """Return the letters of each context, type and filter together."""
    found: dict[_Place, set[str]] = {}
    for one in scopes:
        found.setdefault((one.context, one.type, one.filter), set()).update(one.letters)
    return {place: "".join(x for x in LETTERS if x in some) for place, some in found.items()}


def _parts(letters: str) -> Iterable[str]:
    reading = "".join(letter for letter in letters if letter in _READING)
    return filter(None, (reading, "".join(letter for letter in letters if letter in _VERBS)))


def _order(item: tuple[_Place, str]) -> tuple[object, ...]:
    (context, type, filter), _ = item
    known = list(WORDS)
    return (context, type != ANY, known.index(type) if type in known else len(known), type, filter)


def _written(chosen: Mapping[_Place, str], asked: Sequence[ResourceScope]) -> list[ResourceScope]:
    """Return scopes as they were asked for where all of one was chosen, and the rest as our own."""
    own = [ResourceScope(place[0], place[1], all, place[2]) for place, all in chosen.items()]
    found = [one for one in asked if Scopes(tuple(own)).covers(Scopes((one,)))]
    told = Scopes(tuple(found))
    for one in own:
        single = [ResourceScope(one.context, one.type, each, one.filter) for each in one.letters]
        left = "".join(each.letters for each in single if not told.covers(Scopes((each,))))
        if left:
            found.append(ResourceScope(one.context, one.type, left, one.filter))
    return found


def _value(scope: ResourceScope) -> str:
    """Return the scope in our own spelling, however it was asked for."""
    return str(ResourceScope(scope.context, scope.type, scope.letters, scope.filter))
