"""Read by id through plain Flask: `python -m tests.bench.reads [--seconds S] …`.

Loads some patients of Synthea, then reads random resources of them with 1, 8 and 32 clients.
Prints requests/s, percentiles and CPU per request; the floor is the one SQL statement that a read
runs, by the driver alone, without decompression.
"""

import argparse
import random

from ehr.settings import DEVELOPMENT_SECRET
from ehr.store import read
from ehr.store.opening import open_database
from fhir_profiles.definitions import type_name, type_number
from tests.bench import floors, measuring, running, synthea
from tests.bench.bundles import post_checked
from tests.bench.measuring import percentile, say
from tests.bench.running import Ground, Server
from tests.bench.sending import send

_HEAD = f"{'clients':>8}{'requests/s':>11}{'/s core':>9}{'p50 ms':>9}{'p95':>8}{'p99':>8}"
_MOST = 5000
_SEED = 4


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--bundles", type=int, default=8)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    chosen = parser.parse_args()
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            with ground.fresh_database() as url:
                _measure(ground, url, chosen)


def _measure(ground: Ground, url: str, chosen: argparse.Namespace) -> None:
    with running.server(url, chosen.workers, chosen.threads) as server:
        post_checked(server.target, synthea.bundles("synthea-2018", chosen.bundles))
        names = names_of(url)
        requests = [server.target.request("GET", f"/{type}/{id}") for type, id in names]
        send(server.target, requests, 16, seconds=2)
        say(f"{_HEAD}   CPU µs a request, server and database")
        for clients in chosen.clients:
            say(_run(ground, server, requests, clients, chosen.seconds))
    seconds = floors.statement_time(
        url, _statement(url, names[0]), [(type_number(type), id) for type, id in names]
    )
    say(f"{'floor':>8}{1 / seconds:11.0f}   one statement by the driver, {seconds * 1e6:.0f} µs")


def _run(
    ground: Ground, server: Server, requests: list[bytes], clients: int, seconds: float
) -> str:
    with measuring.measured(server.pid, ground.postgres_pid) as spent:
        sent = send(server.target, requests, clients, seconds=seconds)
    count = len(sent.latencies)
    p50, p95, p99 = (percentile(sent.latencies, share) * 1000 for share in (50, 95, 99))
    return (
        f"{clients:8}{count / sent.wall:11.0f}{count / spent.cpu:9.0f}{p50:9.2f}{p95:8.2f}"
        f"{p99:8.2f}{spent.server / count * 1e6:8.0f}{spent.database / count * 1e6:6.0f}"
    )


def names_of(url: str) -> list[tuple[str, str]]:
    """Return type and id of some resources that are there, in an order of their own."""
    connection = floors.connect(url)
    try:
        found = connection.execute("SELECT type, id FROM resource ORDER BY rid").fetchall()
    finally:
        connection.close()
    names = [(type_name(number), id) for number, id in found]
    random.Random(_SEED).shuffle(names)
    return names[:_MOST]


def _statement(url: str, name: tuple[str, str]) -> str:
    """Return the SQL that a read runs, as the record itself sends it."""
    database = open_database(url, secret=DEVELOPMENT_SECRET)
    seen: list[str] = []
    try:
        with database.read() as connection, database.observe(seen.append):
            assert read.newest(connection, *name) is not None
    finally:
        database.close()
    assert len(seen) == 1, "a read is one statement"
    return seen[0]


if __name__ == "__main__":
    main()
