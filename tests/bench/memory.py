"""Memory of a worker: `python -m tests.bench.memory [--entries N] …`.

Prints RSS and PSS of each worker after the start and one request, and the peak RSS while a Bundle
of 5,000 entries is taken. PSS shares out what workers have in common.
"""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from tests.bench import measuring, running, synthea
from tests.bench.measuring import say
from tests.bench.running import Ground, Server
from tests.bench.sending import send

_RESET_PEAK = "5"  # proc(5), clear_refs


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--entries", type=int, default=5000)
    chosen = parser.parse_args()
    count, body = big_bundle(chosen.entries)
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            with ground.fresh_database() as url:
                _measure(ground, url, count, body, chosen)


def _measure(ground: Ground, url: str, count: int, body: bytes, chosen: argparse.Namespace) -> None:
    with running.server(url, chosen.workers, chosen.threads) as server:
        target = server.target
        # One request for each worker, as they take connections in turn.
        send(target, [target.request("GET", "/Patient?_count=1")] * 20 * chosen.workers, 8)
        workers = _workers(server)
        for pid in workers:
            _say("idle", pid)
            Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK, "utf-8")
        sent = send(target, [target.request("POST", "", body)], 1)
        say(
            f"a Bundle of {count} entries, {len(body) / 1e6:.1f} MB, "
            f"taken in {sent.latencies[0]:.1f} s"
        )
        for pid in workers:
            _say("after", pid)


def _workers(server: Server) -> list[int]:
    """Return the processes that answer: those below the first which have our threads."""
    below = measuring.group(server.pid)[1:]
    return [pid for pid in below if len(list(Path(f"/proc/{pid}/task").iterdir())) > 1]


def _say(when: str, pid: int) -> None:
    found = measuring.memory(pid)
    say(
        f"worker {pid:<8}{when:6} RSS {found['Rss']:6.0f} MB  PSS {found['Pss']:6.0f} MB  "
        f"peak RSS {found['VmHWM']:6.0f} MB"
    )


def big_bundle(entries: int) -> tuple[int, bytes]:
    """Return a transaction of at least that many entries, and their number."""
    found: dict[str, Any] = {}  # by full url: patients share practitioners and organisations
    for one in synthea.bundles("synthea-2018"):
        for entry in msgspec.json.decode(one.body)["entry"]:
            found.setdefault(entry["fullUrl"], entry)
        if len(found) >= entries:  # whole patients only: their entries refer to one another
            break
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": list(found.values())}
    return len(found), msgspec.json.encode(bundle)


if __name__ == "__main__":
    main()
