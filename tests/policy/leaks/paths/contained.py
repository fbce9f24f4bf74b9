"""What is contained: chains lead into it, and nobody finds it by itself."""

from collections.abc import Callable

from tests.policy.leaks.paths.pages import ask
from tests.policy.leaks.paths.searching import found_of, ways_of
from tests.policy.leaks.running import Asker, Run
from tests.policy.naive import Row
from tests.policy.naive.reading import Resource, at

Holds = Callable[[Resource], bool]


def _has(element: str, path: str, value: str) -> Holds:
    """Return whether a resource refers at `element` to what it contains and has a value there."""

    def holds(document: Resource) -> bool:
        meant = {one.get("reference", "")[1:] for one in at(document, element)}
        inside = [one for one in document.get("contained", ()) if one["id"] in meant]
        return any(value in at(one, path) for one in inside)

    return holds


# What is asked of a type, and what of it should be found.
_CHAINS: tuple[tuple[str, str, Holds], ...] = (
    ("Condition", "asserter:Practitioner.family=Locum", _has("asserter", "name.family", "Locum")),
    ("Condition", "asserter.name=locum", _has("asserter", "name.family", "Locum")),
    (
        "DiagnosticReport", "performer:Practitioner.family=Locum",
        _has("performer", "name.family", "Locum"),
    ),
    (
        "Observation", "specimen:Specimen.type=119297000",
        _has("specimen", "type.coding.code", "119297000"),
    ),
)  # fmt: skip
# What has what only contained resources have: none is found by itself.
_ALONE = ("Practitioner?family=Locum", "Specimen?_id=blood", "Practitioner?name=locum&_sort=family")


def contained(run: Run) -> None:
    """Chains into what is contained: into that of a hidden container, or a hidden part, none."""
    for turn in range(run.turns // 2):
        asker = run.asker()
        if turn % 8 == 0:
            _compare(run, asker, run.one(_ALONE), set(), {"its own"})
            continue
        type, chain, holds = run.one(_CHAINS)
        rows = [row for row in run.rows if row.type == type and not row.is_deleted]
        shown = {row.name: asker.sight.shown(row) for row in rows}
        expected = {name for name, one in shown.items() if one is not None and holds(one)}
        whole = [row for row in rows if holds(row.document)]
        if turn % 2:
            _compare(run, asker, f"{type}?{chain}", expected, {row.name for row in whole})
        else:
            _of_patients(run, asker, f"{type}:patient:{chain}", whole, expected)


def _of_patients(run: Run, asker: Asker, has: str, whole: list[Row], expected: set[str]) -> None:
    """Ask for the patients of such rows."""
    patients = {row.patient for row in whole if row.name in expected}
    seen = {
        one.name
        for one in run.rows
        if one.type == "Patient" and one.name in patients and asker.sight.sees(one, "s")
    }
    every = {str(row.patient) for row in whole}
    _compare(run, asker, f"Patient?_has:{has}", seen, every)


def _compare(run: Run, asker: Asker, asked: str, expected: set[str], whole: set[str]) -> None:
    status, _ = ask(asker.client, f"{asked}&_count=1")
    if status == 403:
        run.tally.withhold("contained")
        return
    found, _ = found_of(asker, asked, "GET")
    run.tally.asked_by(ways_of(asked))
    run.tally.answer(
        "contained", asker.name, asked, found=set(found), expected=expected, whole=whole
    )
