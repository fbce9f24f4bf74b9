"""The table of authors: which elements say who wrote, and whom they may name.

| Rule | What is made | What is changed |
|---|---|---|
| forced | names the writer; filled in where it is absent | stays; filled in again where absent |
| signed | names the writer, if anybody | what is added or taken away names the writer |
| kept | names anybody | stays |
| first | names anybody; the writer is filled in where it is absent | free |
| free | names anybody | free |

A second word is for the kind of person that it names. It is the writer who is named by the person,
by one of their places or by their organisation. Systems may name anybody. The elements are those of
`facets.AUTHOR_PATHS`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from auth.elements.entries import PATHS, anonymous, rows_with_authors, with_authors
from auth.elements.facts import PEOPLE, Case, Fault, Resource, Writer, are_resources, case
from auth.elements.plan_rows import with_progress
from auth.elements.reading import apart, at, listed
from auth.elements.who import cells
from fhir_profiles.definitions import is_resource_type, type_definition

FORCED, SIGNED, KEPT, FIRST, FREE = RULES = ("forced", "signed", "kept", "first", "free")

TABLE = """
Type                     | Element           | Rule   | Why
AdverseEvent             | recorder          | forced |
AdverseEvent             | contributor       | free   | Who had a part in what happened.
AllergyIntolerance       | recorder          | forced |
AllergyIntolerance       | asserter          | kept   | Who said so, often the patient.
Basic                    | author            | forced |
CarePlan                 | author            | forced |
CarePlan                 | contributor       | signed | Provenance tells who had a part.
ClinicalImpression       | assessor          | forced |
Communication            | sender            | forced |
CommunicationRequest     | requester         | forced |
CommunicationRequest     | sender            | free   | Who is to send it.
Composition              | author            | forced |
Composition              | attester.party    | signed | Nobody signs for others.
Condition                | recorder          | forced |
Condition                | asserter          | kept   | Who said so, often the patient.
Consent                  | performer         | free patient=forced | Staff record another's.
DetectedIssue            | author            | forced |
DeviceRequest            | requester         | forced |
DeviceUseStatement       | source            | free   | Who told of it.
DiagnosticReport         | performer         | first  | A laboratory's may be filed by others.
DiagnosticReport         | resultsInterpreter | free  | As `performer`.
DocumentManifest         | author            | first  | As of documents.
DocumentReference        | author            | first  | A letter is filed by who received it.
DocumentReference        | authenticator     | signed | Nobody signs for others.
Flag                     | author            | forced |
Goal                     | expressedBy       | kept patient=forced carer=first
                                             | Staff write down patients' goals.
GuidanceResponse         | performer         | free   | A device.
ImagingStudy             | interpreter       | free   | Who read the pictures.
Immunization             | performer.actor   | free   | Who gave it, elsewhere maybe.
List                     | source            | forced |
Media                    | operator          | free   | Who took it.
MedicationAdministration | performer.actor   | free   | Who gave it.
MedicationDispense       | performer.actor   | free   | Who handed it out.
MedicationRequest        | requester         | forced | Nobody prescribes in another's name.
MedicationRequest        | recorder          | forced |
MedicationStatement      | informationSource | free   | Who told of it.
NutritionOrder           | orderer           | forced |
Observation              | performer         | first patient=forced
                                             | Staff write down what others measured.
Procedure                | recorder          | forced |
Procedure                | asserter          | kept   | Who said so.
Procedure                | performer.actor   | free   | Who did it.
Provenance               | agent.who         | free   | Judged where it is taken, beside its write.
QuestionnaireResponse    | author            | forced |
QuestionnaireResponse    | source            | kept   | Who gave the answers.
RequestGroup             | author            | forced |
RiskAssessment           | performer         | first  | A device may have worked it out.
ServiceRequest           | requester         | forced |
Specimen                 | collection.collector | free | Who took it.
SupplyRequest            | requester         | forced |
Task                     | requester         | forced |
VisionPrescription       | prescriber        | forced |
"""


@dataclass(frozen=True, slots=True)
class Author:
    """An element that says who wrote, and its rule for each kind of person."""

    type: str
    element: str
    rule: str
    by_kind: Mapping[str, str]
    why: str

    def of(self, kind: str) -> str:
        """Return the rule for a kind of person."""
        return self.by_kind.get(kind, self.rule)


def _read(table: str) -> tuple[Author, ...]:
    found = []
    for type, element, cell, why in cells(table):
        rule, *others = cell.split()
        by_kind = dict(one.split("=") for one in others)
        if not {rule, *by_kind.values()} <= set(RULES):
            raise ValueError(f"{cell!r} is not well formed")
        found.append(Author(type, element, rule, by_kind, why))
    return tuple(found)


AUTHORS: tuple[Author, ...] = _read(TABLE)
_BY_TYPE: Mapping[str, tuple[Author, ...]] = {
    type: tuple(one for one in AUTHORS if one.type == type)
    for type in {one.type for one in AUTHORS}
}


def filled(
    writer: Writer,
    before: Resource | None,
    after: Resource,
    *,
    bases: tuple[str, ...] = (),
    is_patch: bool = False,
) -> Resource:
    """Return a resource with the authors that the server sets; the same object if none is.

    `before` is None for what is made. An author that stands is put back where it was left out, but
    by a patch, which takes away what it says; new entries of notes and progress that say nothing of
    their author get the writer.
    """
    if writer.kind not in PEOPLE or writer.person is None or not are_resources(before, after):
        return after
    write = case(writer, before, after, (), bases)
    found = ({} if is_patch else dict(_authors(write))) | dict(_notes(write))
    return {**after, **found} if found else after


def author_faults(case: Case) -> Iterator[Fault]:
    """Yield the elements that name another than the writer as author."""
    for one in _BY_TYPE.get(case.type, ()):
        rule = one.of(case.writer.kind)
        was, becomes = at(case.before, one.element), at(case.after, one.element)
        if was == becomes:
            continue
        come, gone = ([each for _, each in some] for some in apart(was, becomes))
        place = f"{case.type}.{one.element}"
        if case.before is not None and rule in (FORCED, KEPT) and (come or gone):
            if not (rule == FORCED and was and all(map(case.is_self, (*come, *gone)))):
                text = f"{place} says who wrote, and stays. Leave it as it is."
                yield Fault(place, text, 403, "forbidden")
        elif rule in (FORCED, SIGNED) and not all(map(case.is_self, (*come, *gone))):
            text = f"{place} names who writes: you, your place or your organisation. Leave it out."
            yield Fault(place, text, 403, "forbidden")


def _authors(case: Case) -> Iterator[tuple[str, Any]]:
    for one in _BY_TYPE.get(case.type, ()):
        rule = one.of(case.writer.kind)
        if rule not in (FORCED, FIRST) or case.after.get(one.element) is not None:
            continue
        if case.before is not None:
            if rule == FORCED and case.was(one.element) is not None:
                yield one.element, case.was(one.element)
            continue
        found = _fitting(case.writer, case.type, one.element)
        if found is not None:
            yield one.element, found


def _fitting(writer: Writer, type: str, element: str) -> Any:
    """Return the writer as value of an element: the person, else a place or the organisation."""
    targets, is_many = _targets(type, element)
    for name in (writer.person, *sorted(writer.names, reverse=True)):
        if name is not None and name.partition("/")[0] in targets:
            return [{"reference": name}] if is_many else {"reference": name}
    return None


@cache
def _targets(type: str, element: str) -> tuple[frozenset[str], bool]:
    if not is_resource_type(type):
        return frozenset(), False
    field = type_definition(type).fields[element]
    return field.targets, field.many


def _notes(case: Case) -> Iterator[tuple[str, Any]]:
    stood = anonymous(listed(case.before, "note"))
    found = with_authors(case, stood, listed(case.after, "note"))
    if found is not None:
        yield "note", found
    for path in PATHS:
        outer, _, inner = path.partition(".")
        below = rows_with_authors(case, outer, inner) if inner else None
        if below is not None:
            yield outer, below
    rows = with_progress(case) if case.type == "CarePlan" else None
    if rows is not None:
        yield "activity", rows
