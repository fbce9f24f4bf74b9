"""How much is asked, and the figures of it: worlds of some size, each on a database of its own."""

import time
from dataclasses import dataclass
from pathlib import Path

from ehr.record import Record, open_record
from ehr.settings import load
from tests import engines
from tests.policy.leaks.asking import serve
from tests.policy.leaks.paths import ask_all
from tests.policy.leaks.running import run_on
from tests.policy.leaks.tally import Tally
from tests.policy.world import make_world
from tests.spec.oracle.search import BASE


@dataclass(frozen=True, slots=True)
class Size:
    """A world of some patients, how many of its people ask, and how long."""

    patients: int
    seed: int
    askers: int
    turns: int


FEW = (Size(4, 2, 16, 60),)
MANY = tuple(Size(8, seed, 24, 160) for seed in (101, 104))
# One population as large as a practice's caseload, and small worlds in which all is denser.
ALL = (Size(200, 1, 30, 300), *(Size(12, seed, 40, 320) for seed in range(1000, 1012)))
# Every way of asking that issue 5 lists, by its name in a tally; writes that are judged as well.
WAYS = (
    "read", "vread", "HEAD", "GET search", "POST search", "include", "revinclude", "iterate",
    "wildcard", "chain", "_has", "sort", "count", "history of one", "history of a type",
    "history of all", "$everything", "batch", "transaction", "conditional create",
    "conditional update", "conditional patch", "conditional delete", "JSON Patch",
    "JSON Merge Patch", "XML Patch", "FHIRPath Patch", "page link", "Binary", "contained",
    "compartment", "_filter", "_text", "_content", "audit", "provenance", "create judged",
    "update judged", "delete judged",
)  # fmt: skip


def opened(url: str) -> Record:
    """Return the record on a database, at the address that the oracle knows."""
    return open_record(load({"EHR_DATABASE_URL": url, "EHR_BASE_URL": BASE}))


def tallied(url: str, size: Size) -> Tally:
    """Ask by every path in one world."""
    record = opened(url)
    try:
        served = serve(record, make_world(size.patients, seed=size.seed))
        run = run_on(served, seed=size.seed, askers=size.askers, turns=size.turns)
        ask_all(run)
    finally:
        record.database.close()
    return run.tally


def tallied_all(engine: str, folder: Path, sizes: tuple[Size, ...]) -> Tally:
    """Ask in worlds one after the other, and print the figures of each and of all."""
    tally, started = Tally(sizes[0].seed), time.monotonic()
    for size in sizes:
        begun = time.monotonic()
        with engines.fresh_url(engine, folder) as url:
            one = tallied(url, size)
        say(one, f"{size.patients} patients, seed {size.seed}", engine, begun)
        if one.wrong:
            print(one.report(), flush=True)  # noqa: T201
        tally.add(one)
    patients = sum(size.patients for size in sizes)
    seeds = ", ".join(str(size.seed) for size in sizes)
    say(tally, f"all: {patients} patients, seeds {seeds}", engine, started)
    return tally


def say(tally: Tally, what: str, engine: str, begun: float) -> None:
    """Print one line of figures."""
    seconds = time.monotonic() - begun
    print(f"{what}, {engine}: {tally.figures}, {seconds:.0f} s", flush=True)  # noqa: T201
