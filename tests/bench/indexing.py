"""How long a resource takes to index, by type: `python -m tests.bench.indexing`.

Prints µs of CPU per resource and the rows it gives, over the Synthea set of the reference data.
Target: 30 µs for an Observation, hashing included.
"""

import json
import sys
import tarfile
from collections import defaultdict
from dataclasses import fields
from decimal import Decimal
from time import process_time_ns
from typing import Any

from ehr.search.indexer import Indexer
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from tests.shared_data import shared

_SET = "synthea/synthea-2021-uscore3-blaze.tar.gz"
_BUNDLES = 12
_AT_MOST = 1_500
_ROUNDS = 3


def main() -> None:
    """Measure and print."""
    indexer = Indexer(Hasher(b"0123456789abcdef"))
    sys.stdout.write(f"{'type':26}{'resources':>10}{'µs':>9}{'rows':>7}\n")
    for type, resources in sorted(_resources().items()):
        indexer.rows(resources[0])
        spent, rows = _measure(indexer, resources[:_AT_MOST])
        sys.stdout.write(f"{type:26}{len(resources):10}{spent:9.1f}{rows:7.1f}\n")


def _measure(indexer: Indexer, resources: list[dict[str, Any]]) -> tuple[float, float]:
    best = float("inf")
    for _ in range(_ROUNDS):
        start = process_time_ns()
        for resource in resources:
            indexer.rows(resource)
        best = min(best, (process_time_ns() - start) / 1000 / len(resources))
    counts = [_count(indexer.rows(resource)) for resource in resources]
    return best, sum(counts) / len(counts)


def _count(rows: IndexRows) -> int:
    lists = (getattr(rows, each.name) for each in fields(rows) if each.name != "parts")
    return sum(len(some) for some in lists if isinstance(some, list)) + sum(map(_count, rows.parts))


def _resources() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with tarfile.open(shared(_SET)) as archive:
        members = [member for member in archive if member.name.endswith(".json")][:_BUNDLES]
        for member in members:
            file = archive.extractfile(member)
            assert file is not None
            for entry in json.load(file, parse_float=Decimal)["entry"]:
                found[entry["resource"]["resourceType"]].append(entry["resource"])
    return found


if __name__ == "__main__":
    main()
