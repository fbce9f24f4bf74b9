"""Create and update, durable: `python -m tests.bench.creates [--count N] …`.

Observations of Synthea, filed under patients made for the run, created and then updated one by one
with 1, 16 and 32 clients. Prints requests/s, percentiles and CPU; the floor is the same rows of the
creates by plain driver statements, with a durable COMMIT for each transaction that the record made.
"""

import argparse
import json
from typing import Any

import msgspec

from tests import given
from tests.bench import floors, measuring, running, synthea
from tests.bench.measuring import Spent, percentile, say
from tests.bench.running import Ground
from tests.bench.sending import Sent, Target, send

_HEAD = f"{'':8}{'clients':>8}{'requests/s':>11}{'/s core':>9}{'p50 ms':>9}{'p95':>8}{'p99':>8}"
_PATIENTS = 50
_WARM = 200


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--count", type=int, default=2000, help="of creates and of updates")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 32])
    chosen = parser.parse_args()
    observations = _observations(chosen.count + _WARM)
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            say(f"{_HEAD}   CPU µs a request, server and database")
            for clients in chosen.clients:
                with ground.fresh_database() as url:
                    kept, before = _measure(ground, url, observations, clients, chosen)
            with ground.fresh_database() as url:
                floor = floors.replay(url, ground.postgres_pid, kept, before)
                _say_floor(floor, transactions=len(kept.keys() - before))


def _measure(
    ground: Ground,
    url: str,
    observations: list[dict[str, Any]],
    clients: int,
    chosen: argparse.Namespace,
) -> tuple[dict[int, floors.Transaction], set[int]]:
    """Print the lines of a number of clients; return the creates' rows, and what was before."""
    with running.server(url, chosen.workers, chosen.threads) as server:
        target = server.target
        patients = _made(target, [given.patient(family=f"Bench{n}") for n in range(_PATIENTS)])
        creates = [
            _post(target, one | {"subject": given.reference(patients[n % _PATIENTS])})
            for n, one in enumerate(observations)
        ]
        send(target, creates[:_WARM], clients)
        before = floors.txn_ids(url)
        with measuring.measured(server.pid, ground.postgres_pid) as spent:
            sent = send(target, creates[_WARM:], clients, keep=True)
        say(_line("create", clients, sent, spent))
        kept = floors.captured(url)
        updates = [_update(target, answer) for answer in sent.kept]
        with measuring.measured(server.pid, ground.postgres_pid) as spent:
            sent = send(target, updates, clients)
        say(_line("update", clients, sent, spent))
    return kept, before


def _observations(count: int) -> list[dict[str, Any]]:
    """Return Observations without references, in the sizes that they have."""
    found: list[dict[str, Any]] = []
    for bundle in synthea.bundles("synthea-2018"):
        for entry in json.loads(bundle.body)["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] == "Observation":
                left_out = ("id", "subject", "encounter")
                found.append({k: v for k, v in resource.items() if k not in left_out})
        if len(found) >= count:
            break
    return found[:count]


def _made(target: Target, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answers = send(target, [_post(target, one) for one in resources], 4, keep=True)
    return [json.loads(_body(answer)) for answer in answers.kept]


def _post(target: Target, resource: dict[str, Any]) -> bytes:
    path = f"/{resource['resourceType']}"
    return target.request("POST", path, msgspec.json.encode(resource))


def _update(target: Target, answer: bytes) -> bytes:
    """Return the update of a resource just created: another status, and a note."""
    resource = json.loads(_body(answer))
    resource |= {"status": "amended", "note": [{"text": "Read again and corrected."}]}
    path = f"/Observation/{resource['id']}"
    return target.request("PUT", path, msgspec.json.encode(resource))


def _body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def _line(what: str, clients: int, sent: Sent, spent: Spent) -> str:
    count = len(sent.latencies)
    p50, p95, p99 = (percentile(sent.latencies, share) * 1000 for share in (50, 95, 99))
    return (
        f"{what:8}{clients:8}{count / sent.wall:11.0f}{count / spent.cpu:9.0f}{p50:9.2f}{p95:8.2f}"
        f"{p99:8.2f}{spent.server / count * 1e6:8.0f}{spent.database / count * 1e6:6.0f}"
    )


def _say_floor(floor: floors.Floor, *, transactions: int) -> None:
    spent, count = floor.spent, floor.versions
    say(
        f"{'create':8}{'floor':>8}{count / spent.wall:11.0f}{count / spent.cpu:9.0f}   "
        f"{floor.rows / count:.1f} rows a create, {count / transactions:.1f} creates a COMMIT, "
        f"{spent.server / count * 1e6:.0f} µs in the driver, "
        f"{spent.database / count * 1e6:.0f} in the database"
    )


if __name__ == "__main__":
    main()
