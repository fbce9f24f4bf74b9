"""Notes: nobody edits another's entry.

An Annotation of R4 that is not the writer's stays as it is, in its order; entries are added beside
it. What names nobody is nobody's to edit. New entries without an author get the writer.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from auth.elements.facts import Case, Fault
from auth.elements.reading import at, frozen, listed

# Where Annotations are, beside those of CarePlan.activity (`plan_rows.py`).
PATHS = ("note", "reaction.note", "condition.note", "lensSpecification.note")
_MAY_BE_AUTHOR = ("Practitioner", "Patient", "RelatedPerson", "Organization")


def note_faults(case: Case) -> Iterator[Fault]:
    """Yield the notes that change or drop another's entry, or speak in another's name."""
    for path in PATHS:
        was, becomes = at(case.before, path), at(case.after, path)
        if was != becomes:
            yield from entry_faults(case, f"{case.type}.{path}", was, becomes)


def entry_faults(case: Case, place: str, was: list[Any], becomes: list[Any]) -> Iterator[Fault]:
    """Yield what is wrong with the Annotations of one list."""
    others = [frozen(one) for one in was if not _is_own(case, one)]
    rest = iter(others)
    wanted = next(rest, None)
    added = []
    for number, one in enumerate(becomes):
        if wanted is not None and frozen(one) == wanted:
            wanted = next(rest, None)
        else:
            added.append((number, one))
    if wanted is not None:
        text = f"{place} has an entry of somebody else: it stays as it is. Add one of your own."
        yield Fault(place, text, 403, "forbidden")
    elif not all(_is_own(case, one) for _, one in added):
        text = f"What is added to {place} is by who writes. Leave its author out."
        yield Fault(place, text, 403, "forbidden")


def anonymous(entries: Iterable[Any]) -> Counter[Hashable]:
    """Return the Annotations that say nothing of their author, counted."""
    return Counter(frozen(one) for one in entries if _is_anonymous(one))


def with_authors(case: Case, stood: Counter[Hashable], becomes: list[Any]) -> list[Any] | None:
    """Return Annotations with the writer put into new ones without author; None if there is none.

    What stood without author is taken from `stood`. None too where the writer can't be the author
    of an Annotation: `judge` refuses what names nobody.
    """
    person = case.writer.person
    if person is None or person.partition("/")[0] not in _MAY_BE_AUTHOR:
        return None
    author = {"authorReference": {"reference": person}}
    found = [{**one, **author} if _is_new(one, stood) else one for one in becomes]
    return found if any(one is not sent for one, sent in zip(found, becomes, strict=True)) else None


def rows_with_authors(case: Case, outer: str, inner: str) -> list[Any] | None:
    """Return the rows of an element with the writer put into new notes below; None as above."""
    stood = anonymous(at(case.before, f"{outer}.{inner}"))
    return in_rows(
        inner,
        [(row, with_authors(case, stood, listed(row, inner))) for row in listed(case.after, outer)],
    )


def in_rows(inner: str, rows: Iterable[tuple[Any, list[Any] | None]]) -> list[Any] | None:
    """Return rows with lists put in where there is one; None if there is none."""
    some = list(rows)
    if all(entries is None for _, entries in some):
        return None
    return [row if entries is None else {**row, inner: entries} for row, entries in some]


def _is_new(entry: Any, stood: Counter[Hashable]) -> bool:
    if not _is_anonymous(entry):
        return False
    key = frozen(entry)
    stood[key] -= 1
    return stood[key] < 0


def _is_own(case: Case, entry: Any) -> bool:
    named = entry.get("authorReference") if isinstance(entry, dict) else None
    return named is not None and "authorString" not in entry and case.is_self(named)


def _is_anonymous(entry: Any) -> bool:
    return isinstance(entry, dict) and not any(
        key.lstrip("_").startswith("author") for key in entry
    )
