"""The words of the role table about what a write alters: `proposed`, `error`, `comment`, `contact`.

Their meaning stands in `auth/roles/narrowings.py`. Asked of what is sent, before authors are filled
in: `comment` needs each new entry to name its author. `auto` is told by where a Provenance came.
"""

from collections.abc import Callable, Mapping
from typing import Any

from auth.elements.facts import Resource, Writer
from auth.elements.reading import at, frozen, listed, name_of, without_server
from fhir_profiles.own_names import AGREEMENT

_CONTACT = ("telecom", "address", "contact", "communication", "photo")


def change_meets(
    word: str,
    writer: Writer,
    before: Resource | None,
    after: Resource | None,
    *,
    bases: tuple[str, ...] = (),
) -> bool:
    """Tell whether a write is what a word permits; None before what is made, after what is deleted.

    Raises KeyError for a word that is none of this module.
    """
    meets = _WORDS[word]
    return isinstance(after, dict) and meets(writer, before, after, bases)


def _is_proposed(
    writer: Writer, before: Resource | None, after: Resource, bases: tuple[str, ...]
) -> bool:
    return after.get("lifecycleStatus") == "proposed"


def _is_error(
    writer: Writer, before: Resource | None, after: Resource, bases: tuple[str, ...]
) -> bool:
    return after.get("status") == "entered-in-error" and _is_same_but(before, after, "status")


def _is_contact(
    writer: Writer, before: Resource | None, after: Resource, bases: tuple[str, ...]
) -> bool:
    return _is_same_but(before, after, *_CONTACT)


def _is_comment(
    writer: Writer, before: Resource | None, after: Resource, bases: tuple[str, ...]
) -> bool:
    if before is None or not _is_same_but(before, after, "note", "activity", "extension"):
        return False
    was, becomes = listed(before, "activity"), listed(after, "activity")
    return (
        len(was) == len(becomes)
        and _other_extensions(before) == _other_extensions(after)
        and _only_adds(writer, before, after, "note", bases)
        and all(
            _is_same_but(old, new, "progress") and _only_adds(writer, old, new, "progress", bases)
            for old, new in zip(was, becomes, strict=True)
        )
    )


def _only_adds(
    writer: Writer, before: Resource, after: Resource, element: str, bases: tuple[str, ...]
) -> bool:
    """Tell whether a list of Annotations grew at its end only, by entries of the writer."""
    was, becomes = listed(before, element), listed(after, element)
    return frozen(becomes[: len(was)]) == frozen(was) and all(
        writer.person is not None
        and isinstance(one, dict)
        and name_of(one.get("authorReference"), bases) == writer.person
        for one in becomes[len(was) :]
    )


def _other_extensions(resource: Resource) -> Any:
    some = at(resource, "extension")
    return frozen(
        [one for one in some if not (isinstance(one, dict) and one.get("url") == AGREEMENT)]
    )


def _is_same_but(before: Resource | None, after: Resource, *elements: str) -> bool:
    return before is not None and _rest(before, elements) == _rest(after, elements)


def _rest(resource: Any, elements: tuple[str, ...]) -> Any:
    if not isinstance(resource, dict):
        return frozen(resource)
    left = {key: value for key, value in resource.items() if key not in elements}
    return frozen(without_server(left))


_Meets = Callable[[Writer, Resource | None, Resource, tuple[str, ...]], bool]
_WORDS: Mapping[str, _Meets] = {
    "proposed": _is_proposed,
    "error": _is_error,
    "comment": _is_comment,
    "contact": _is_contact,
}
