"""What the rules are asked with and answer: the writer, the write, faults and claims."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from auth.elements.reading import codes, name_of, names_at

Resource = dict[str, Any]

# Kinds of caller who answer for what they write themselves; a system passes on what others wrote.
PEOPLE = frozenset({"professional", "patient", "carer"})
# Words of the role table, and a kind of relationship, that a caller of the rules tells of the row.
TOLD = frozenset({"own", "mine", "registered"})
REVIEW = "break-glass-review"


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes.

    `role` is a word of `auth/roles/known.py`. `names` are those of person, place and organisation,
    as `Practitioner/x`, `PractitionerRole/y`, `Organization/z`; `person` is the fhirUser among
    them. `is_lead`: named lead of the team of the patient whom the resource is about.
    """

    kind: str
    role: str
    names: frozenset[str]
    person: str | None
    organisation: str | None
    is_lead: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason to refuse: an issue of an OperationOutcome, and the HTTP status it asks for."""

    expression: str
    text: str
    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Claim:
    """By this element the writer opens a record to themself, under `name`, without being asked."""

    expression: str
    name: str


@dataclass(frozen=True, slots=True)
class Case:
    """One write: the resource as it stands (None: it is made) and as it is sent.

    `held` are the words by which the tables know the writer: see `case`.
    """

    writer: Writer
    before: Resource | None
    after: Resource
    bases: tuple[str, ...]
    held: frozenset[str]

    @property
    def type(self) -> str:
        """The type of the resource."""
        return str(self.after.get("resourceType"))

    @property
    def is_of_person(self) -> bool:
        """Whether a person writes, whose own entry this is."""
        return self.writer.kind in PEOPLE

    def was(self, element: str) -> Any:
        """Return an element as it stands, None for what is made."""
        return None if self.before is None else self.before.get(element)

    def is_self(self, reference: Any) -> bool:
        """Tell whether a Reference names the writer, or place or organisation of theirs."""
        return name_of(reference, self.bases) in self.writer.names


def are_resources(before: Any, after: Any) -> bool:
    """Tell whether a write can be judged: what is sent is a resource, and what stands, if any."""
    return isinstance(after, dict) and (before is None or isinstance(before, dict))


def case(
    writer: Writer,
    before: Resource | None,
    after: Resource,
    words: Iterable[str] = (),
    bases: tuple[str, ...] = (),
) -> Case:
    """Return a write with the words that the writer holds towards it (`who.STANDINGS`)."""
    names = writer.names
    held = {writer.role, *(TOLD & set(words))}
    standing = after if before is None else before

    def is_named(element: str, resource: Resource) -> bool:
        return not names.isdisjoint(names_at(resource, element, bases))

    if writer.kind == "professional":
        held |= {"staff"} | ({"lead"} if writer.is_lead else set())
        if before is None or "mine" in held or is_named("author", before):
            held.add("author")
        if is_named("serviceProvider", standing) and is_named("serviceProvider", after):
            held.add("provider")
    if is_named("requester", standing):
        held.add("requester")
    if _is_owner(writer, standing, after, bases):
        held.add("owner")
    return Case(writer, before, after, bases, frozenset(held))


def _is_owner(writer: Writer, standing: Resource, after: Resource, bases: tuple[str, ...]) -> bool:
    """Tell whether a Task is the writer's to do: whoever takes what nobody owns yet, owns it."""
    if REVIEW in codes(standing, "code"):
        return writer.role == "privacy-officer"
    owner = standing if standing.get("owner") else after
    return not writer.names.isdisjoint(names_at(owner, "owner", bases))
