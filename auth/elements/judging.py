"""All rules asked of one write.

Systems are bound by their registration, and pass on what others wrote: of them only whose a
resource is and which moves of a status are legal are judged. For all others each rule is.
"""

from collections.abc import Callable, Iterable, Iterator

from auth.elements.authors import author_faults
from auth.elements.entries import note_faults
from auth.elements.facts import Case, Fault, Resource, Writer, are_resources, case
from auth.elements.labelling import label_faults
from auth.elements.moves import move_faults
from auth.elements.openings import opening_faults
from auth.elements.particulars import particular_faults
from auth.elements.plan_rows import row_faults
from auth.elements.reading import changed, same
from auth.elements.subjects import subject_faults
from auth.elements.who import holds, row_of, said

# What several people write at once: who changes it says which version they saw.
_BY_MANY = frozenset({"CarePlan", "CareTeam", "Goal", "Task"})


def judge(
    writer: Writer,
    before: Resource | None,
    after: Resource | None,
    *,
    words: frozenset[str] = frozenset(),
    bases: tuple[str, ...] = (),
) -> tuple[Fault, ...]:
    """Return why a write is refused, nothing if these rules permit it.

    `before` is None for what is made, `after` for what is deleted. `words` tells of the row what
    only the record knows: `own` and `mine` of the role table, and `registered` where the writer has
    that relationship. `bases` are the addresses of this server. `after` is judged with its authors
    filled in (`filled`). Each element has one fault of a status at most.
    """
    if after is None or not are_resources(before, after):
        return ()
    if before is not None and same(before, after):
        return ()
    if before is not None and before.get("resourceType") != after.get("resourceType"):
        text = "The type of a resource stays. Make another."
        return (Fault("Resource", text, 422, "business-rule"),)
    write = case(writer, before, after, words, bases)
    rules = _OF_ALL if writer.kind == "system" else (*_OF_ALL, *_OF_OTHERS)
    return tuple(_each_once(fault for rule in rules for fault in rule(write)))


def needs_if_match(type: str) -> bool:
    """Tell whether a change of a type must say by If-Match which version it is of."""
    return type in _BY_MANY


def _element_faults(case: Case) -> Iterator[Fault]:
    """Yield the elements that are another's to change; what no row names is refused."""
    if case.before is None:
        return
    for element in changed(case.before, case.after):
        row = row_of(case.type, element)
        if row is None or holds(row.who, case.held):
            continue
        place = f"{case.type}.{'extension' if element == 'agreement' else element}"
        text = f"{place} is changed by {said(row.who)}. Leave it as it is."
        yield Fault(place, text, 403, "forbidden")


def _each_once(faults: Iterable[Fault]) -> Iterator[Fault]:
    told: set[tuple[str, int]] = set()
    for fault in faults:
        if (fault.expression, fault.status) not in told:
            told.add((fault.expression, fault.status))
            yield fault


_Rule = Callable[[Case], Iterator[Fault]]
_OF_ALL: tuple[_Rule, ...] = (subject_faults, move_faults)
_OF_OTHERS: tuple[_Rule, ...] = (
    label_faults,
    author_faults,
    _element_faults,
    opening_faults,
    row_faults,
    note_faults,
    particular_faults,
)
