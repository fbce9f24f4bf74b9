"""Search through HTTP: `python -m tests.bench.search [--sizes 100000 1000000] [--engine …] …`.

Asks a record of copied Synthea patients (made once, kept in a cache folder) what clinical systems
ask, with 1, 8 and 32 clients. Prints percentiles and requests a second, CPU of server and database
a request, the plain SQL of the same rows by the driver alone, what page 500 costs, and how searches
within a patient grow. Clients share the cores with what they measure; on a busy machine only the
CPU says anything.
"""

import argparse
import os
import re
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psycopg
from sqlalchemy.engine import make_url

from ehr.settings import DEVELOPMENT_SECRET
from ehr.store.opening import open_database
from tests import postgres_server
from tests.bench import floors, running, search_data
from tests.bench.measuring import measured, percentile, say, say_where
from tests.bench.running import Server
from tests.bench.search_workloads import Workload, workloads
from tests.bench.sending import Refused, send

_HEAD = f"{'':26}{'clients':>8}{'/s':>8}{'p50 ms':>9}{'p95':>8}{'p99':>8}{'CPU':>8}{'of it DB':>9}"
_DEEP = (("page 500, in index order", ""), ("page 500, newest first", "&_sort=-date"))
_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "autovacuum": "on", "jit": "off"}
_NEXT = re.compile(rb'"relation":"next","url":"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds of one workload with one number of clients, and requests a second.

    `server` and `database` are CPU a request.
    """

    p50: float
    p95: float
    p99: float
    rate: float
    server: float
    database: float

    @property
    def cpu(self) -> float:
        """Return the CPU of a request, server and database together."""
        return self.server + self.database


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", help="part of the names of the workloads to run")
    parser.add_argument("--no-deep", action="store_true", help="leave page 500 out")
    default = Path(tempfile.gettempdir()) / "ehr-bench-cache"
    parser.add_argument("--cache", type=Path, default=default)
    chosen = parser.parse_args()
    chosen.cache.mkdir(parents=True, exist_ok=True)
    engines = ("sqlite", "postgresql") if chosen.engine == "both" else (chosen.engine,)
    for engine in engines:
        found = {}
        with _databases(engine, chosen) as databases:
            for size, url in databases:
                found[size] = _measure(engine, size, url, chosen)
        _say_growth(found)


@contextmanager
def _databases(engine: str, chosen: argparse.Namespace) -> Iterator[Iterator[tuple[int, str]]]:
    """Give each size with the URL of its database, made where it is not there."""
    chosen.database = None
    if engine == "sqlite":
        yield ((size, _sqlite(size, chosen.cache)) for size in chosen.sizes)
        return
    folder = chosen.cache / "pg"
    server = postgres_server.start(folder, os.getpid(), _SETTINGS, keep=True)
    chosen.database = int((folder / "data" / "postmaster.pid").read_text("utf-8").split()[0])
    try:
        yield ((size, _postgres(size, server, chosen.cache)) for size in chosen.sizes)
    finally:
        postgres_server.stop(folder)


def _sqlite(size: int, cache: Path) -> str:
    path = cache / f"{search_data.stem(size)}.db"
    if not path.exists():
        part = path.with_suffix(".part")
        for old in cache.glob(f"{part.name}*"):
            old.unlink()
        search_data.make(f"sqlite:///{part}", size, cache)
        part.rename(path)
    return f"sqlite:///{path}"


def _postgres(size: int, server: str, cache: Path) -> str:
    name = search_data.stem(size).replace("-", "_")
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    part = f"{name}_part"
    with psycopg.connect(server, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if known.fetchone() is None:
            connection.execute(f"DROP DATABASE IF EXISTS {part}")
            connection.execute(f"CREATE DATABASE {part}")
            making = make_url(server).set(database=part).render_as_string(hide_password=False)
            search_data.make(making, size, cache)
            connection.execute(f"ALTER DATABASE {part} RENAME TO {name}")
    return url


def _measure(
    engine: str, size: int, url: str, chosen: argparse.Namespace
) -> dict[tuple[str, int], Figures]:
    say_where(f"{engine}, {size:,} resources", "", chosen.cache)
    database = open_database(url, secret=DEVELOPMENT_SECRET)
    asked = workloads(database)
    database.close()
    if chosen.only:
        asked = tuple(one for one in asked if chosen.only in one.name)
    found: dict[tuple[str, int], Figures] = {}
    say(f"{_HEAD}   limit   plain SQL ms, ratio")
    with running.server(url, chosen.workers, chosen.threads) as server:
        for one in asked:
            plain = _plain(url, one)
            for clients in chosen.clients:
                figures = _run(server, one.paths, clients, chosen.seconds, chosen.database)
                _say(one, clients, figures, plain if clients == min(chosen.clients) else None)
                if one.within:
                    found[one.name, clients] = figures
        if not chosen.no_deep:
            _measure_deep(server, chosen)
    return found


def _plain(url: str, one: Workload) -> float:
    """Return the milliseconds of the plain SQL, all rows fetched."""
    return floors.statement_time(url, one.sql, one.values) * 1000


def _run(
    server: Server, paths: tuple[str, ...], clients: int, seconds: float, database: int | None
) -> Figures:
    requests = [server.target.request("GET", path) for path in paths]
    send(server.target, requests[:16], 2)
    with measured(server.pid, database) as spent:
        sent = send(server.target, requests, clients, seconds=seconds)
    p50, p95, p99 = (percentile(sent.latencies, share) * 1000 for share in (50, 95, 99))
    count = len(sent.latencies)
    cpu = (spent.server * 1000 / count, spent.database * 1000 / count)
    return Figures(p50, p95, p99, count / sent.wall, *cpu)


def _say(one: Workload, clients: int, figures: Figures, plain: float | None) -> None:
    limit = (
        f"{one.limit:5.0f}{'  ' if figures.p95 <= one.limit else ' !'}" if one.limit else " " * 7
    )
    ratio = "" if plain is None else f" {plain:10.2f}{figures.p50 / plain:8.1f}x"
    say(
        f"{one.name:26}{clients:8}{figures.rate:8.0f}{figures.p50:9.1f}{figures.p95:8.1f}"
        f"{figures.p99:8.1f}{figures.cpu:8.2f}{figures.database:9.2f} "
        f"{limit if clients == 8 else ' ' * 7}{ratio}"
    )


def _measure_deep(server: Server, chosen: argparse.Namespace) -> None:
    """Compare the first page with the 500th of the same walk."""
    for name, order in _DEEP:
        first = f"/Observation?category=vital-signs&_count=20{order}"
        try:
            deep = _page_after(server, first, 20 * 499)
            took = [
                _run(server, (one,), 1, chosen.seconds, chosen.database) for one in (first, deep)
            ]
        except Refused as error:
            say(f"{name:26} refused: {str(error)[-120:]}")
            continue
        ratio = took[1].p50 / took[0].p50
        say(
            f"{name:26}{1:8}{took[1].rate:8.0f}{took[1].p50:9.1f}{took[1].p95:8.1f}"
            f"{took[1].p99:8.1f}{took[1].cpu:8.2f}{took[1].database:9.2f}   first page "
            f"{took[0].p50:.1f} ms, {ratio:.2f}x; by CPU {took[1].cpu / took[0].cpu:.2f}x"
        )


def _page_after(server: Server, first: str, rows: int) -> str:
    """Return the address of the page after so many rows; large steps lead to the same place."""
    path = first.replace("_count=20", f"_count={rows // 10}")
    for _ in range(10):
        [answer] = send(server.target, [server.target.request("GET", path)], 1, keep=True).kept
        found = _NEXT.search(answer)
        assert found is not None, "the walk is shorter than 500 pages"
        path = "/" + found[1].decode().partition("/fhir/")[2]
    return re.sub(r"_count=\d+", "_count=20", path)


def _say_growth(found: dict[int, dict[tuple[str, int], Figures]]) -> None:
    if len(found) < 2:
        return
    small, large = min(found), max(found)
    say(f"\n   from {small:,} to {large:,} resources, p50 and CPU:")
    for (name, clients), before in found[small].items():
        after = found[large].get((name, clients))
        if after is not None:
            ratios = f"{after.p50 / before.p50:6.2f}x{after.cpu / before.cpu:6.2f}x"
            say(f"   {name:26}{clients:5} clients {ratios}")
    middle = statistics.median(
        found[large][key].cpu / one.cpu for key, one in found[small].items() if key in found[large]
    )
    say(f"   median of CPU {middle:.2f}x")


if __name__ == "__main__":
    started = perf_counter()
    main()
    say(f"\n   {perf_counter() - started:.0f} s, load {os.getloadavg()[0]:.1f} at the end")
