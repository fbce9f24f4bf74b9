"""Writes that callers try: documents made of the world's rows, altered a little, by chance.

Some are theirs to write and some are not: the same row with an element that decides little, one
with an element of another row of its type (its category, its status, its labels, its author, its
patient), one that is filed under another patient, one with an entry by the caller.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.policy import role_table
from tests.policy.leaks.running import Asker, Run
from tests.policy.leaks.seeing import Resource
from tests.policy.naive import Row

# Elements that say whose a row is, of all types that the world has.
_OWNERS = ("subject", "patient", "for", "securityContext")
# What borrowing leaves alone.
_KEPT = frozenset({"resourceType", "id", "text", "contained"})
_NOTED = frozenset(
    {"CarePlan", "CareTeam", "Goal", "Task", "ServiceRequest", "Condition", "Observation"}
)
_PROVIDERS = {
    "Encounter": "serviceProvider",
    "EpisodeOfCare": "managingOrganization",
    "MeasureReport": "reporter",
}
# Elements of a type by which something may be somebody's to write which is not otherwise.
_TURNS: dict[str, tuple[Resource, ...]] = {
    "Observation": (
        {"status": "entered-in-error"},
        {"status": "preliminary", "meta": {"tag": [{"code": "patient-reported"}]}},
    ),
    "Goal": ({"lifecycleStatus": "proposed"}, {"lifecycleStatus": "active"}),
    "QuestionnaireResponse": (
        {"status": "in-progress"},
        {"status": "completed"},
        {"questionnaire": "https://forms.example.org/about-me"},
        {"questionnaire": "https://forms.example.org/prom"},
    ),
    "Patient": ({"telecom": [{"system": "phone", "value": "0131 496 0000"}]},),
    "Task": ({"status": "requested"}, {"status": "draft"}),
    "Consent": ({"scope": {"coding": [{"code": "research"}]}},),
    "Flag": ({"meta": {"security": [{"code": "V"}]}}, {"meta": {}}),
}
_CELLS = role_table.cells()
Alter = Callable[[Run, Asker, Resource], Resource]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row that is made (no `before`), changed, or deleted (no `after`)."""

    before: Row | None
    after: Resource | None

    @property
    def letter(self) -> str:
        """The letter of the role table."""
        return "c" if self.before is None else "u" if self.after is not None else "d"


def attempt(run: Run, asker: Asker) -> Attempt | None:
    """Return a write by chance; None where there is no row to begin with."""
    [letter] = run.rng.choices("cud", (5, 8, 1))
    role = asker.sight.caller.role
    aims = sorted((letter, type) for who, type, letter in run.aims if who == role)
    if aims:
        letter, type = run.one(aims)
        rows = _seen(run, asker, type)
    else:
        rows = _rows(run, asker, letter)
    if not rows:
        return None
    row = run.one(rows)
    if letter == "d":
        return Attempt(row, None)
    after = dict(row.document)
    [times] = run.rng.choices((0, 1, 2), (5, 4, 1) if letter == "c" else (0, 7, 3))
    for _ in range(times):
        after = run.one(_ALTERING)(run, asker, after)
    if letter == "c":
        return Attempt(None, {**after, "id": run.another_id()})
    return Attempt(row, after if after != row.document else _by_language(run, asker, after))


def _rows(run: Run, asker: Asker, letter: str) -> list[Row]:
    """Return rows of a type that the caller's role writes, mostly, and sees, mostly."""
    types = sorted({row.type for row in run.rows if not row.is_deleted})
    role = asker.sight.caller.role
    written = [type for type in types if (role, type, letter) in _CELLS]
    return _seen(run, asker, run.one(written if written and run.rng.random() < 0.85 else types))


def _seen(run: Run, asker: Asker, type: str) -> list[Row]:
    rows = [row for row in run.rows if row.type == type and not row.is_deleted]
    seen = [row for row in rows if asker.sight.sees(row, "r")]
    return seen if seen and run.rng.random() < 0.75 else rows


def _by_language(run: Run, asker: Asker, document: Resource) -> Resource:
    return {**document, "language": "en" if document.get("language") == "en-GB" else "en-GB"}


def _by_borrowing(run: Run, asker: Asker, document: Resource) -> Resource:
    """Take one element of another row of the type, or do without it as the other does."""
    rows = [r for r in run.rows if r.type == document["resourceType"] and not r.is_deleted]
    other = run.one(rows).document
    differ = sorted(
        name
        for name in other.keys() | document.keys()
        if name not in _KEPT and other.get(name) != document.get(name)
    )
    if not differ:
        return document
    name = run.one(differ)
    left = {key: value for key, value in document.items() if key != name}
    return {**left, name: other[name]} if name in other else left


def _by_moving(run: Run, asker: Asker, document: Resource) -> Resource:
    """File it under a patient: another, or one where there was none."""
    rows = [row.document for row in run.rows if row.type == document["resourceType"]]
    found = [name for name in _OWNERS if any(name in one for one in rows)]
    if not found:
        return document
    patient = run.row_for(asker, "Patient")
    return {**document, found[0]: {"reference": patient.name}}


def _by_noting(run: Run, asker: Asker, document: Resource) -> Resource:
    """Add an entry: of the caller, or of another."""
    person = asker.sight.caller.person
    if document["resourceType"] not in _NOTED or person is None:
        return _by_language(run, asker, document)
    author = person if run.rng.random() < 0.7 else run.row_for(asker, "Patient").name
    entry = {"authorReference": {"reference": author}, "text": "Well today"}
    return {**document, "note": [*document.get("note", ()), entry]}


def _by_turning(run: Run, asker: Asker, document: Resource) -> Resource:
    """Change what a word of the role table may turn on."""
    type, organisation = document["resourceType"], asker.sight.caller.organisation
    if type in _PROVIDERS and organisation is not None:
        return {**document, _PROVIDERS[type]: {"reference": organisation}}
    if type not in _TURNS:
        return _by_borrowing(run, asker, document)
    turned: dict[str, Any] = run.one(_TURNS[type])
    return {**document, **turned}


_ALTERING: tuple[Alter, ...] = (
    _by_language,
    _by_borrowing,
    _by_moving,
    _by_noting,
    _by_turning,
    _by_turning,
)
