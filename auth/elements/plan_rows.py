"""The parts of a CarePlan: whose an activity, goal or addressed problem is, and its progress.

An activity is *social* if it, or the ServiceRequest that it contains, is a package of social care;
*clinical* if it tells its `detail` otherwise; *linked* if it only refers, which tells nothing of
its kind: so are goals and problems. Who may add a kind may not always change or take away what
others added. Rows have no author, so that their kind decides.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from auth.elements.entries import anonymous, entry_faults, in_rows, with_authors
from auth.elements.facts import Case, Fault, Resource
from auth.elements.reading import apart, at, codes, codings, frozen, listed, word
from auth.elements.who import Who, holds, said, who
from auth.roles.narrowings import PACKAGES

SOCIAL, CLINICAL, LINKED = "social", "clinical", "linked"
# kind → who adds, who changes and takes away
KINDS: Mapping[str, tuple[Who, Who]] = {
    SOCIAL: (
        who("social-worker care-coordinator lead"),
        who("social-worker care-coordinator lead"),
    ),
    CLINICAL: (
        who("gp hospital-consultant nurse care-coordinator lead"),
        who("gp hospital-consultant nurse care-coordinator lead"),
    ),
    LINKED: (
        who("gp hospital-consultant nurse social-worker care-coordinator lead"),
        who("gp hospital-consultant nurse author care-coordinator lead"),
    ),
}
# A whole plan of social care is the social worker's.
SOCIAL_PLAN = "social-care"


def row_faults(case: Case) -> Iterator[Fault]:
    """Yield the parts of a CarePlan which the writer may not add or change.

    Of one that is made, only the authors of its progress are judged.
    """
    if case.type != "CarePlan":
        return
    was, becomes = listed(case.before, "activity"), listed(case.after, "activity")
    if was != becomes:
        yield from _progress_faults(case, was, becomes)
    if case.before is None:
        return
    if was != becomes:
        kinds = _kinds(case.before, was), _kinds(case.after, becomes)
        yield from _kind_faults(case, "activity", *kinds)
    for element in ("goal", "addresses"):
        earlier, later = ([(LINKED, one) for one in listed(some, element)] for some in
                          (case.before, case.after))  # fmt: skip
        yield from _kind_faults(case, element, earlier, later)


def with_progress(case: Case) -> list[Any] | None:
    """Return the activities with the writer put into new progress; None if there is none."""
    was, becomes = listed(case.before, "activity"), listed(case.after, "activity")
    stood = {key: anonymous(entries) for key, entries in _progress_of(was).items()}
    rows = ((row, stood.get(_key(row)) or Counter(), listed(row, "progress")) for row in becomes)
    return in_rows(
        "progress", ((row, with_authors(case, earlier, told)) for row, earlier, told in rows)
    )


def _kind_faults(
    case: Case, element: str, was: list[tuple[str, Any]], becomes: list[tuple[str, Any]]
) -> Iterator[Fault]:
    come, gone = apart([one for _, one in was], [one for _, one in becomes])
    for place, _ in come:
        kind = becomes[place][0]
        if not _may(case, KINDS[kind][0]):
            yield _refused(f"CarePlan.{element}[{place}]", kind, KINDS[kind][0], "added")
    for place, _ in gone:
        kind = was[place][0]
        if not _may(case, KINDS[kind][1]):
            text = "changed or taken away"
            yield _refused(f"CarePlan.{element}", kind, KINDS[kind][1], text)


def _may(case: Case, some: Who) -> bool:
    if case.writer.role == "social-worker" and SOCIAL_PLAN in codes(case.before, "category"):
        return True
    return holds(some, case.held)


def _refused(place: str, kind: str, some: Who, what: str) -> Fault:
    text = f"A {kind} part of a plan is {what} by {said(some)}. Leave it as it is."
    return Fault(place, text, 403, "forbidden")


def _progress_faults(case: Case, was: list[Any], becomes: list[Any]) -> Iterator[Fault]:
    """Judge the progress of rows that are alike together; rows that changed, all together."""
    earlier, later = _progress_of(was), _progress_of(becomes)
    place = "CarePlan.activity.progress"
    for key in earlier.keys() & later.keys():
        yield from entry_faults(case, place, earlier[key], later[key])
    gone = [one for key in earlier if key not in later for one in earlier[key]]
    come = [one for key in later if key not in earlier for one in later[key]]
    yield from entry_faults(case, place, gone, come)


def _progress_of(rows: Iterable[Any]) -> dict[Hashable, list[Any]]:
    found: dict[Hashable, list[Any]] = defaultdict(list)
    for row in rows:
        found[_key(row)] += listed(row, "progress")
    return found


def _key(row: Any) -> Hashable:
    return frozen(_without_progress(row))


def _without_progress(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {key: value for key, value in row.items() if key != "progress"}


def _kinds(plan: Resource | None, rows: Iterable[Any]) -> list[tuple[str, Any]]:
    """Return activities without their progress, each with its kind."""
    inside = {f"#{one.get('id')}": one for one in at(plan, "contained") if isinstance(one, dict)}
    return [(_kind(inside, one), _without_progress(one)) for one in rows]


def _kind(inside: Mapping[str, Any], row: Any) -> str:
    told = at(row, "detail")
    told += [inside[one] for one in map(word, at(row, "reference.reference")) if one in inside]
    if _is_package(told):
        return SOCIAL
    return CLINICAL if told else LINKED


def _is_package(some: list[Any]) -> bool:
    told = {f"{system}|{code}" for one in some for system, code in codings(one, "code", "category")}
    return not told.isdisjoint(PACKAGES)
