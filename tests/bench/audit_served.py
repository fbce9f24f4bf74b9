"""What audit costs over HTTP: `python -m tests.bench.audit_served [--seconds N] [--engine …]`.

The same reads by id and searches in a record, by 32 clients, of a server that records nothing, of
one with EHR_AUDIT=journal and of one with strict. Rounds take turns, so that what else the machine
does falls on all three; share is of the requests a second without audit, over all rounds.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import measuring, running, synthea
from tests.bench.bundles import post_checked
from tests.bench.measuring import percentile, say
from tests.bench.reads import names_of
from tests.bench.running import Ground
from tests.bench.sending import Target, send

_MODES = ("off", "journal", "strict")
_HEAD = f"{'':22}{'/s':>9}{'share':>8}{'p50 ms':>9}{'p99':>8}{'CPU µs':>9}   server and database"


@dataclass(slots=True)
class _Ran:
    """What came of all rounds of one mode."""

    wall: float = 0.0
    cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return requests a second."""
        return len(self.latencies) / self.wall


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--bundles", type=int, default=4)
    chosen = parser.parse_args()
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            with ground.fresh_database() as url:
                _measure(ground, url, chosen)


def _measure(ground: Ground, url: str, chosen: argparse.Namespace) -> None:
    with running.server(url, chosen.workers, chosen.threads, module="tests.bench.unaudited") as one:
        post_checked(one.target, synthea.bundles("synthea-2018", chosen.bundles))
    names = names_of(url)
    patients = [id for type, id in names if type == "Patient"]
    ways = {
        "read": [f"/{type}/{id}" for type, id in names],
        "search of a patient": [f"/Observation?patient={id}&_count=10" for id in patients],
    }
    ran = {(way, mode): _Ran() for way in ways for mode in _MODES}
    for _ in range(chosen.rounds):
        for mode in _MODES:
            _round(ground, url, chosen, mode, ways, ran)
    say(_HEAD)
    for (way, mode), found in ran.items():
        share = found.rate / ran[way, "off"].rate
        p50, p99 = (percentile(found.latencies, at) * 1000 for at in (50, 99))
        cpu = found.cpu / len(found.latencies) * 1e6
        line = f"{way[:14]}, {mode}"
        say(f"{line:22}{found.rate:9.0f}{share:8.1%}{p50:9.2f}{p99:8.2f}{cpu:9.0f}")


def _round(
    ground: Ground,
    url: str,
    chosen: argparse.Namespace,
    mode: str,
    ways: dict[str, list[str]],
    ran: dict[tuple[str, str], _Ran],
) -> None:
    """Start a server of one mode, warm it, and send each kind of request for some seconds."""
    module = "tests.bench.unaudited" if mode == "off" else "ehr"
    settings = {} if mode == "off" else _settings(mode, ground.folder / ground.engine)
    with running.server(
        url, chosen.workers, chosen.threads, module=module, settings=settings
    ) as server:
        for way, paths in ways.items():
            requests = _requests(server.target, paths)
            send(server.target, requests, chosen.clients, seconds=2)
            with measuring.measured(server.pid, ground.postgres_pid) as spent:
                sent = send(server.target, requests, chosen.clients, seconds=chosen.seconds)
            found = ran[way, mode]
            found.wall += sent.wall
            found.cpu += spent.cpu
            found.latencies += sent.latencies


def _settings(mode: str, folder: Path) -> dict[str, str]:
    return {"EHR_AUDIT": mode, "EHR_AUDIT_FOLDER": str(folder / "journals")}


def _requests(target: Target, paths: list[str]) -> list[bytes]:
    return [target.request("GET", path) for path in paths]


if __name__ == "__main__":
    main()
