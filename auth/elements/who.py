"""The table of elements: who changes which element of a resource that stands. Data, and its reader.

For the types that are here, what no row names is refused; for others the general rules hold only.
Elements are those of the top level; `*` is each that the type's other rows do not name, `x[y]` all
forms of a choice, `agreement` the extension of that name. Under *Who* stand alternatives: a role
(`auth/roles/known.py`) or a standing towards this resource, joined by `+` where both are needed;
`-` is nobody. Systems are not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from auth.roles.known import ROLES

TABLE = """
Type           | Elements                 | Who
Patient        | telecom address contact communication photo
               | patient gp hospital-consultant social-worker care-coordinator admin
Patient        | *                        | admin
CarePlan       | status intent period category | author care-coordinator lead
CarePlan       | activity note
               | patient carer gp hospital-consultant nurse social-worker care-coordinator lead
CarePlan       | goal addresses
               | gp hospital-consultant nurse social-worker care-coordinator lead
CarePlan       | agreement                | patient author care-coordinator lead
CarePlan       | contributor              | -
CarePlan       | text                     | staff
CarePlan       | *                        | author care-coordinator lead
CareTeam       | participant note text    | staff
CareTeam       | status period            | gp care-coordinator lead
CareTeam       | *                        | author gp care-coordinator lead
Encounter      | participant              | staff
Encounter      | serviceProvider          | -
Encounter      | *                        | provider
Goal           | achievementStatus
               | gp hospital-consultant nurse social-worker care-coordinator lead
Goal           | *
               | patient gp hospital-consultant nurse social-worker care-coordinator lead
ServiceRequest | status note text
               | gp hospital-consultant nurse urgent-care social-worker third-sector
                 care-coordinator lead
ServiceRequest | *
               | gp hospital-consultant nurse urgent-care social-worker care-coordinator lead
Task           | note                     | patient carer staff
Task           | status statusReason businessStatus lastModified executionPeriod output text
               | requester owner
Task           | owner                    | requester+staff owner+staff
Task           | *                        | requester+staff
Consent        | status provision verification source[x] dateTime text
               | patient gp
Consent        | *                        | patient
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a writer may be to a resource, beside their role; `label` reads in a sentence."""

    word: str
    label: str
    meaning: str


STANDINGS: tuple[Standing, ...] = (
    Standing("staff", "staff", "Any professional."),
    Standing("author", "staff of the organisation that wrote it",
        "A professional of the organisation that wrote version 1 (`mine`), or whom or whose "
        "organisation `author` names; whoever makes it."),
    Standing("lead", "the named lead", "The named lead of this patient's team."),
    Standing("provider", "staff of the organisation that provides it",
        "A professional of the organisation in `Encounter.serviceProvider`, before and after."),
    Standing("requester", "whoever asked for it",
        "The writer, or their place or organisation, is `requester`."),
    Standing("owner", "its owner",
        "The writer, or their place or organisation, is `Task.owner`; of a Task without one, "
        "whoever becomes it; of `break-glass-review`, each privacy officer."),
    Standing("registered", "of the registered practice",
        "The writer has the relationship of that name with the patient."),
    Standing("own", "who wrote it", "The writer wrote version 1."),
    Standing("mine", "of the organisation that wrote it",
        "The writer's organisation wrote version 1."),
)  # fmt: skip

Who = tuple[frozenset[str], ...]
_LABELS: Mapping[str, str] = {role.word: role.label for role in ROLES} | {
    one.word: one.label for one in STANDINGS
}


@dataclass(frozen=True, slots=True)
class Row:
    """Who changes some elements of a type."""

    type: str
    elements: tuple[str, ...]
    who: Who


def who(text: str) -> Who:
    """Return the alternatives of a cell. Raises ValueError for a word that is none."""
    some = () if text == "-" else tuple(frozenset(one.split("+")) for one in text.split())
    unknown = {word for words in some for word in words} - set(_LABELS)
    if unknown or (text != "-" and not some):
        raise ValueError(f"{text!r} is not well formed: {sorted(unknown)}")
    return some


def cells(table: str) -> list[list[str]]:
    """Return the rows of a written table without its titles; lines that are indented go on."""
    lines = table.strip().replace("\n ", " ").splitlines()[1:]
    return [[" ".join(cell.split()) for cell in line.split("|")] for line in lines]


def _rows() -> tuple[Row, ...]:
    return tuple(
        Row(type, tuple(elements.split()), who(some)) for type, elements, some in cells(TABLE)
    )


ROWS: tuple[Row, ...] = _rows()
TYPES: frozenset[str] = frozenset(row.type for row in ROWS)


def row_of(type: str, element: str) -> Row | None:
    """Return the row that speaks of an element; None for a type that is not in the table."""
    rest = None
    for row in ROWS:
        if row.type != type:
            continue
        if any(_is_named(element, name) for name in row.elements):
            return row
        if "*" in row.elements:
            rest = row
    return rest


def holds(some: Who, held: frozenset[str]) -> bool:
    """Tell whether one of the alternatives is held."""
    return any(words <= held for words in some)


def said(some: Who) -> str:
    """Return the alternatives as people say them."""
    every = [" and ".join(_LABELS[word] for word in sorted(words)) for words in some]
    return " or ".join(every) if every else "systems only"


def _is_named(element: str, name: str) -> bool:
    stem, is_choice, _ = name.partition("[x]")
    return element == name or (bool(is_choice) and element.startswith(stem))
