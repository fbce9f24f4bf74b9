"""Transaction Bundles of Synthea through HTTP: `python -m tests.bench.bundles [--bundles N] …`.

Each run begins with an empty database, sends the information Bundles first and then the patients',
measured, by 1, 4 and 8 clients. Prints resources/s a core and by the wall clock, what a Bundle
takes, and beside it the floor: the same rows by plain driver statements.
"""

import argparse
import json

from tests.bench import floors, measuring, running, sending, synthea
from tests.bench.measuring import Spent, percentile, say
from tests.bench.running import Ground
from tests.bench.sending import Refused, Target, send

_HEAD = f"{'set':14}{'clients':>8}{'resources':>10}{'/s core':>9}{'/s wall':>9}"
_TIMES = f"{'p50 ms':>9}{'p95 ms':>9}{'largest':>9}{'server':>8}{'database':>9}"


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--set", choices=[*synthea.SETS, "both"], default="both")
    parser.add_argument(
        "--bundles", type=int, help="patients' Bundles of a set; the largest is one"
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 8])
    chosen = parser.parse_args()
    sets = list(synthea.SETS) if chosen.set == "both" else [chosen.set]
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            say(_HEAD + _TIMES + "   CPU µs a resource, server and database")
            for name in sets:
                _measure_set(ground, name, chosen)


def _measure_set(ground: Ground, name: str, chosen: argparse.Namespace) -> None:
    bundles = synthea.bundles(name, chosen.bundles)
    for number, clients in enumerate(chosen.clients):
        with ground.fresh_database() as url:
            speed, before = _run(ground, url, name, bundles, clients, chosen)
            if number == 0:
                kept, earlier = floors.captured(url), before
        say(speed)
    with ground.fresh_database() as url:
        floor = floors.replay(url, ground.postgres_pid, kept, earlier)
    spent = floor.spent
    say(
        f"{name:14}{'floor':>8}{floor.versions:10}{floor.versions / spent.cpu:9.0f}"
        f"{floor.versions / spent.wall:9.0f}   {floor.rows / floor.versions:.1f} rows a resource, "
        f"{_micro(spent.server, floor.versions)} in the driver, "
        f"{_micro(spent.database, floor.versions)} in the database"
    )


def _run(
    ground: Ground,
    url: str,
    name: str,
    bundles: list[synthea.Sent],
    clients: int,
    chosen: argparse.Namespace,
) -> tuple[str, set[int]]:
    """Return the line of a run without its measures' head, and the transactions before it."""
    information = [one for one in bundles if one.is_information]
    patients = [one for one in bundles if not one.is_information]
    with running.server(url, chosen.workers, chosen.threads) as server:
        post_checked(server.target, information)
        before = floors.txn_ids(url)
        requests = [server.target.request("POST", "", one.body) for one in patients]
        with measuring.measured(server.pid, ground.postgres_pid) as spent:
            sent = send(server.target, requests, clients)
    return _line(name, clients, patients, sent, spent), before


def _line(
    name: str, clients: int, patients: list[synthea.Sent], sent: sending.Sent, spent: Spent
) -> str:
    resources = sum(one.entries for one in patients)
    times = [seconds * 1000 for seconds in sent.latencies]
    return (
        f"{name:14}{clients:8}{resources:10}{resources / spent.cpu:9.0f}"
        f"{resources / spent.wall:9.0f}{percentile(times, 50):9.0f}{percentile(times, 95):9.0f}"
        f"{max(times):9.0f}{_micro(spent.server, resources):>8}"
        f"{_micro(spent.database, resources):>9}"
    )


def _micro(seconds: float, count: int) -> str:
    return f"{seconds / count * 1e6:.0f}"


def post_checked(target: Target, bundles: list[synthea.Sent]) -> None:
    """Send Bundles one after another and refuse any entry that was not done."""
    for bundle in bundles:
        sent = send(target, [target.request("POST", "", bundle.body)], 1, keep=True)
        answer = json.loads(sent.kept[0].partition(b"\r\n\r\n")[2])
        for number, entry in enumerate(answer.get("entry", [])):
            if not entry["response"]["status"].startswith("2"):
                raise Refused(f"{bundle.name} entry {number}: {entry['response']}")


if __name__ == "__main__":
    main()
