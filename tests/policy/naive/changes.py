"""The narrowings that say what a write may alter, judged by what was and what is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.policy.naive.reading import Resource, local
from tests.policy.naive.vocabulary import AGREEMENT

_OF_SERVER = ("versionId", "lastUpdated")


@dataclass(frozen=True, slots=True)
class Change:
    """A write; nothing before what is made. `is_beside`: sent beside its write, in a header."""

    before: Resource | None
    after: Resource
    person: str | None
    is_beside: bool = False


def is_proposed(change: Change) -> bool:
    """Tell whether a Goal that is made is proposed."""
    return change.after.get("lifecycleStatus") == "proposed"


def is_error(change: Change) -> bool:
    """Tell whether nothing changes but a status that becomes entered-in-error."""
    is_marked = change.after.get("status") == "entered-in-error"
    return is_marked and _is_same_without(change, "status")


def is_contact(change: Change) -> bool:
    """Tell whether nothing changes but how to reach and talk to a person."""
    return _is_same_without(change, "telecom", "address", "contact", "communication", "photo")


def is_comment(change: Change) -> bool:
    """Tell whether nothing changes but comments added by the caller, and the agreement."""
    before, after = change.before, change.after
    if before is None or not _is_same_without(change, "note", "activity", "extension"):
        return False
    was, becomes = before.get("activity", []), after.get("activity", [])
    return (
        _without_agreement(before) == _without_agreement(after)
        and _adds(before.get("note", []), after.get("note", []), change.person)
        and len(was) == len(becomes)
        and all(
            _is_progress(old, new, change.person) for old, new in zip(was, becomes, strict=True)
        )
    )


def _is_progress(old: Resource, new: Resource, person: str | None) -> bool:
    is_same = {**old, "progress": None} == {**new, "progress": None}
    return is_same and _adds(old.get("progress", []), new.get("progress", []), person)


def _adds(old: list[Any], new: list[Any], person: str | None) -> bool:
    """Tell whether a list of Annotations only grew at its end, by entries of this author."""
    return new[: len(old)] == old and all(
        person is not None and local(one.get("authorReference")) == person
        for one in new[len(old) :]
    )


def _without_agreement(document: Resource) -> list[Any]:
    return [one for one in document.get("extension", []) if one["url"] != AGREEMENT]


def _is_same_without(change: Change, *elements: str) -> bool:
    return change.before is not None and _rest(change.before, elements) == _rest(
        change.after, elements
    )


def _rest(document: Resource, elements: tuple[str, ...]) -> Resource:
    left = {key: document[key] for key in document if key not in elements}
    left["meta"] = {
        key: value for key, value in document.get("meta", {}).items() if key not in _OF_SERVER
    }
    return left


CHANGES: Mapping[str, Callable[[Change], bool]] = {
    "proposed": is_proposed,
    "error": is_error,
    "contact": is_contact,
    "comment": is_comment,
    "auto": lambda change: change.is_beside,
}
