"""Elements that open a record to whom they name: who may name whom, and who names themself.

`CareTeam.participant`, `Encounter.participant`, `Patient.generalPractitioner` and `Task.owner` are
what relationships come of (`ehr/access/relationships/`). Whoever adds themself without being the
one whose matter that is makes a claim, which somebody is told of.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auth.elements.facts import Case, Claim, Fault, Resource, Writer, are_resources, case
from auth.elements.reading import apart, at, codes, frozen, listed, name_of, word
from auth.elements.who import Who, holds, who

# A Task in these states opens the record to its owner.
TAKEN_ON = frozenset({"accepted", "ready", "in-progress", "on-hold"})
# Who keeps the team; named by those who may name anybody.
LEAD = "named-lead"
# Whom a team opens nothing to.
_OF_THEMSELVES = frozenset({"Patient", "RelatedPerson"})


@dataclass(frozen=True, slots=True)
class Opening:
    """An element that opens: who names anybody, who those of their own organisation, and claims.

    `by` is where in an entry somebody is named, "" where the entry does. `claims`: who adds nobody
    but themself is let, and told of; else that is refused as any other name is.
    """

    type: str
    element: str
    by: str
    anybody: Who
    colleagues: Who
    claims: bool


OPENINGS: tuple[Opening, ...] = (
    Opening(
        "CareTeam",
        "participant",
        "member",
        who("care-coordinator lead gp+registered"),
        who("gp hospital-consultant nurse social-worker"),
        True,
    ),
    Opening("Encounter", "participant", "individual", who("provider"), who("-"), True),
    Opening("Patient", "generalPractitioner", "", who("admin receptionist"), who("-"), False),
)
_BY_TYPE: Mapping[str, Opening] = {one.type: one for one in OPENINGS}


def claims(
    writer: Writer,
    before: Resource | None,
    after: Resource | None,
    *,
    words: frozenset[str] = frozenset(),
    bases: tuple[str, ...] = (),
) -> tuple[Claim, ...]:
    """Return by what the writer opens the record to themself; also where `judge` refuses it."""
    if writer.kind != "professional" or after is None or not are_resources(before, after):
        return ()
    write = case(writer, before, after, words, bases)
    found = [*_self_added(write), *_self_owned(write)]
    return tuple(Claim(place, name) for place, name in found)


def opening_faults(case: Case) -> Iterator[Fault]:
    """Yield the entries by which the writer lets in, or shuts out, whom they may not."""
    opening = _BY_TYPE.get(case.type)
    if opening is None or not opening.claims:
        return  # who else changes the element at all is the table's (`who.py`)
    if case.type == "Encounter" and case.before is None:
        yield from _foreign_provider(case)
    was, becomes = _entries(case.before, opening), _entries(case.after, opening)
    come, gone = apart(was, becomes)
    if holds(opening.anybody, case.held):
        return
    if not gone and all(_is_claim(case, opening, one) for _, one in come):
        return
    place = f"{case.type}.{opening.element}"
    for number, one in come:
        if not _is_colleague(case, opening, one):
            yield _refused(case, opening, f"{place}[{number}]")
    if not all(_is_colleague(case, opening, one) for _, one in gone):
        yield _refused(case, opening, place)


def _self_added(case: Case) -> Iterator[tuple[str, str]]:
    opening = _BY_TYPE.get(case.type)
    if opening is None or holds(opening.anybody, case.held):
        return
    becomes = _entries(case.after, opening)
    was = [] if _is_set_in_force(case) else _entries(case.before, opening)
    standing = {_without_period_end(one) for one in was if not at(one, "period.end")}
    for place, one in apart(was, becomes)[0]:
        name = name_of(_named(opening, one), case.bases)
        # Who says that they leave lets nobody in.
        is_leaving = bool(at(one, "period.end")) and _without_period_end(one) in standing
        if name is not None and name in case.writer.names and not is_leaving:
            yield f"{case.type}.{opening.element}[{place}]", name


def _is_set_in_force(case: Case) -> bool:
    """Tell whether a team that stood is in force from now on, or for longer than it was."""
    if case.type != "CareTeam" or case.after.get("status") != "active":
        return False
    ends = at(case.before, "period.end"), at(case.after, "period.end")
    return case.was("status") != "active" or (bool(ends[0]) and ends[0] != ends[1])


def _self_owned(case: Case) -> Iterator[tuple[str, str]]:
    """Yield a Task that the writer takes on and nobody else asked them to do."""
    owner = name_of(case.after.get("owner"), case.bases)
    if case.type != "Task" or owner is None or owner not in case.writer.names:
        return
    if word(case.after.get("status")) not in TAKEN_ON:
        return
    had = word(case.was("status")) in TAKEN_ON and case.is_self(case.was("owner"))
    asked = case.was("requester") if case.before is not None else case.after.get("requester")
    if not had and (asked is None or case.is_self(asked)):
        yield "Task.owner", owner


def _foreign_provider(case: Case) -> Iterator[Fault]:
    if "provider" not in case.held:
        text = "An Encounter is made by the organisation that provides it. Name yours."
        yield Fault("Encounter.serviceProvider", text, 403, "forbidden")


def _refused(case: Case, opening: Opening, place: str) -> Fault:
    if holds(opening.colleagues, case.held):
        text = (
            "Whom you let into a team, or take out of it, is of your organisation, named in "
            "`onBehalfOf`, and not the named lead. Ask others in by a ServiceRequest or Task."
        )
    elif case.type == "Encounter":
        text = "Who takes part is said by the organisation that provides the Encounter."
    else:
        text = "Who is in a team is said by its care coordinator, named lead or GP. Ask by a Task."
    return Fault(place, text, 403, "forbidden")


def _is_claim(case: Case, opening: Opening, entry: Any) -> bool:
    return case.is_self(_named(opening, entry)) and LEAD not in codes(entry, "role")


def _is_colleague(case: Case, opening: Opening, entry: Any) -> bool:
    if not holds(opening.colleagues, case.held) or LEAD in codes(entry, "role"):
        return False
    named = name_of(_named(opening, entry), case.bases)
    if named is not None and named.partition("/")[0] in _OF_THEMSELVES:
        return True
    behalf = [name_of(one, case.bases) for one in at(entry, "onBehalfOf")]
    return named in case.writer.names or (
        case.writer.organisation is not None and case.writer.organisation in behalf
    )


def _entries(resource: Resource | None, opening: Opening) -> list[Any]:
    return listed(resource, opening.element)


def _named(opening: Opening, entry: Any) -> Any:
    if not opening.by:
        return entry
    return entry.get(opening.by) if isinstance(entry, dict) else None


def _without_period_end(entry: Any) -> Hashable:
    period = entry.get("period") if isinstance(entry, dict) else None
    if not isinstance(period, dict):
        return frozen(entry)
    rest = {key: value for key, value in entry.items() if key != "period"}
    left = {key: value for key, value in period.items() if key != "end"}
    return frozen({**rest, "period": left} if left else rest)
