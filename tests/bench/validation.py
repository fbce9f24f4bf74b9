"""Print how many microseconds base validation takes, by type, on the Synthea sets.

Run `python -m tests.bench.validation [limit]`; `limit` is the number of Bundles read of each set.
Every resource is validated three times and its fastest time counts: the machine may be busy.
"""

import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from statistics import median, quantiles
from time import process_time, thread_time_ns
from typing import Any

from fhir_profiles.json_format import parse
from fhir_profiles.validator import validate
from tests.shared_data import shared

SETS = ("synthea/synthea-2018-r4-smart.tar.gz", "synthea/synthea-2021-uscore3-blaze.tar.gz")


def main(limit: int) -> None:
    """Measure each set and print one table for each."""
    for name in SETS:
        times: dict[str, list[float]] = defaultdict(list)
        faults = 0
        started = process_time()
        for bundle in _bundles(name, limit):
            for entry in bundle["entry"]:
                resource = entry["resource"]
                times[resource["resourceType"]].append(_fastest(resource))
                faults += bool(validate(resource))
        _print_table(name, times, faults, process_time() - started)


def _bundles(name: str, limit: int) -> Iterator[dict[str, Any]]:
    with tarfile.open(shared(name)) as archive:
        members = [one for one in archive if one.isfile() and one.name.endswith(".json")]
        for member in members[:limit]:
            content = archive.extractfile(member)
            assert content is not None
            document = parse(content.read())
            if document.get("resourceType") == "Bundle":
                yield document


def _fastest(resource: dict[str, Any]) -> float:
    fastest = 1e9
    for _ in range(3):
        started = thread_time_ns()
        validate(resource)
        fastest = min(fastest, (thread_time_ns() - started) / 1000)
    return fastest


def _print_table(name: str, times: dict[str, list[float]], faults: int, seconds: float) -> None:
    lines = [f"{name}: {faults} with issues, {seconds:.1f} s of CPU"]
    lines.append(f"{'type':24}{'n':>8}{'median':>10}{'p95':>10}{'max':>10}  µs")
    for kind in sorted(times, key=lambda one: -len(times[one])):
        values = times[kind]
        high = quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
        lines.append(
            f"{kind:24}{len(values):8}{median(values):10.1f}{high:10.1f}{max(values):10.1f}"
        )
    every = [value for values in times.values() for value in values]
    lines.append(f"{'all':24}{len(every):8}{median(every):10.1f}")
    lines.append(f"{len(every) / sum(every) * 1e6:,.0f} resources/s on one core")
    sys.stdout.write("\n".join(lines) + "\n\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
