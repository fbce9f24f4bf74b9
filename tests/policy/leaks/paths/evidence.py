"""What tells who did what: Provenance that the record tells by itself, and events of the trail."""

from tests.client import Client
from tests.policy.leaks.disclosing import Resource
from tests.policy.leaks.paths.pages import pages
from tests.policy.leaks.running import Asker, Run
from tests.policy.naive import (
    Row,
    may_see_event,
    may_see_told,
    named_by_event,
    shown_of_event,
)

_TOLD = "auto-"


def provenance(run: Run) -> None:
    """`Provenance?target=`: beside what was sent, who made each version that the caller sees."""
    for _ in range(run.turns // 2):
        asker = run.asker()
        row = run.row_for(asker, letter="s")
        if row.type == "Binary" and row.patient is None:
            # It may be opened by what refers to it; who made it is told to whom it belongs alone.
            continue
        asked = f"Provenance?target={row.name}"
        every = _told(run.everything, asked)
        expected = {number for number in every.values() if _is_told(asker, row, number, "sr")}
        found = _told(asker.client, asked)
        run.tally.answer(
            "provenance", asker.name, row.name,
            found=set(found.values()), expected=expected, whole=set(every.values()),
        )  # fmt: skip
        if every:
            id = run.one(sorted(every))
            is_seen = asker.client.get(f"Provenance/{id}").status_code == 200
            is_shown = _is_told(asker, row, every[id], "r")
            run.tally.row("provenance", asker.name, id, is_seen=is_seen, is_shown=is_shown)


def _is_told(asker: Asker, row: Row, number: int, letters: str) -> bool:
    sight = asker.sight
    world = sight.world
    return sight.sees_version(row, number, "r") and all(
        may_see_told(world.record, sight.caller, row, letter, world.now) for letter in letters
    )


def _told(client: Client, asked: str) -> dict[str, int]:
    """Return the versions of which a search tells who made them, by the id of what tells it."""
    found: dict[str, int] = {}
    for bundle in pages(client, f"{asked}&_count=200"):
        for entry in bundle.get("entry", ()):
            one = entry["resource"]
            if one["id"].startswith(_TOLD):
                found[one["id"]] = int(one["target"][0]["reference"].rpartition("/")[2])
    return found


def audit(run: Run) -> None:
    """AuditEvents by search and by id: those of the trail as it stands when each caller asks.

    Everybody has asked for something before, in vain too.
    """
    for asker in run.askers:
        for _ in range(4):
            asker.client.get(run.row_for(asker).name)
        asker.client.get(f"{run.one(('Patient', 'Flag', 'Observation'))}?_lastUpdated=gt1900")
    people = [one.sight.caller.person for one in run.askers if one.sight.caller.person]
    for asker in run.askers:
        _compare(run, asker, f"patient={run.row_for(asker, 'Patient').name}")
        own = asker.sight.caller.person or "Practitioner/nobody"
        whom = own if run.rng.random() < 0.5 or not people else run.one(people)
        _compare(run, asker, f"agent={whom}")
        _compare(run, asker, run.one(("type=rest&action=R", "outcome=4", "subtype=search")))


def _compare(run: Run, asker: Asker, asked: str) -> None:
    """Compare what a search finds with what it should, and one of all by id."""
    sight = asker.sight
    now = sight.world.now
    whole = _events(run.served.watching, asked)
    expected = {
        id: shown_of_event(sight.world.record, sight.caller, one, now)
        for id, one in whole.items()
        if may_see_event(sight.world.record, sight.caller, one, now)
    }
    found = _events(asker.client, asked)
    run.tally.answer(
        "audit", asker.name, f"AuditEvent?{asked}",
        found={id for id in found if id in whole}, expected=set(expected), whole=set(whole),
    )  # fmt: skip
    for id in found.keys() & expected.keys():
        told, may = named_by_event(found[id]), expected[id]
        if not told <= may:
            run.tally.differs("audit", f"{asker.name}: AuditEvent/{id} LEAKS {sorted(told - may)}")
    if whole:
        wanted = run.rng.random() < 0.5
        id = run.one([one for one in sorted(whole) if (one in expected) == wanted] or sorted(whole))
        is_seen = asker.client.get(f"AuditEvent/{id}").status_code == 200
        run.tally.row(
            "audit", asker.name, f"AuditEvent/{id}", is_seen=is_seen, is_shown=id in expected
        )


def _events(client: Client, asked: str) -> dict[str, Resource]:
    """Return the events that a search finds, by id; those asked for so far, the newest first."""
    found: dict[str, Resource] = {}
    for bundle in pages(client, f"AuditEvent?{asked}&_count=200", most=400):
        found |= {one["resource"]["id"]: one["resource"] for one in bundle.get("entry", ())}
    return found
