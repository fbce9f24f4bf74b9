"""One population on the record and in the oracle's memory, and the same searches asked of both.

    with record_with(url, resources) as (client, stored):
        compare(client, Oracle(stored, convert=True), some_query, tally)

A refusal by name (`not-supported`, `too-costly`) is no disagreement; it is counted by what was
asked. Anything else must be the oracle's answer, as a set, or in order where there is a `_sort`.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.client import Client, expect
from tests.spec.oracle.made_queries import Query
from tests.spec.oracle.search import BASE, Answer, Oracle

Resource = dict[str, Any]
_PAGE = 1_000


@dataclass
class Tally:
    """What came of many comparisons.

    `refused` counts by the feature that is not there; `wrong` are disagreements.
    """

    answers: frozenset[str]  # the features that must be answered
    compared: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.compared} answers compared, {len(self.wrong)} wrong; "
            f"refused: {_counts(self.refused)}"
        )


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counter.most_common()) or "none"


@contextmanager
def record_with(url: str, resources: list[Resource]) -> Iterator[tuple[Client, list[Resource]]]:
    """Give a client of a record with these resources in it, and them as they are stored."""
    from auth import tokens
    from ehr.app import create_app
    from ehr.record import open_record
    from ehr.settings import load

    record = open_record(
        load({"EHR_DATABASE_URL": url, "EHR_REFERENCES": "none", "EHR_BASE_URL": BASE})
    )
    try:
        token = record.database.write(
            lambda connection: tokens.create(
                connection, kind="system", name="tests", now=int(time.time() * 1000)
            )
        )
        client = Client(create_app(record).test_client(), token)
        yield client, _load(client, resources)
    finally:
        record.database.close()


def _load(client: Client, resources: list[Resource]) -> list[Resource]:
    """Put the resources, a third at a time, and return them with what the record added."""
    stored = []
    for start in range(3):
        entries = [
            {
                "resource": each,
                "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
            }
            for each in resources[start::3]
        ]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        answer = expect(client.post("", bundle, Prefer="return=representation"), 200)
        for sent, entry in zip(entries, answer["entry"], strict=True):
            status = entry["response"]["status"]
            assert status.startswith("20"), (sent["resource"], entry["response"])
            stored.append(entry["resource"])
    return stored


def compare(client: Client, oracle: Oracle, query: Query, tally: Tally) -> None:
    """Ask both, and add what came of it to the tally."""
    separator = "&" if "?" in query.request else "?"
    response = client.get(f"{query.request}{separator}_count={_PAGE}")
    if response.status_code != 200:
        _refused(response, query, tally)
        return
    bundle = json.loads(response.get_data(), parse_float=Decimal)
    found, included = _names(bundle, "match"), _names(bundle, "include")
    answer = oracle.search(query.request)
    tally.compared += 1
    if not _agree(answer, found, included):
        tally.wrong.append(_difference(query, found, included, answer, oracle))


def _agree(answer: Answer, found: list[str], included: list[str]) -> bool:
    return answer.is_in_order(found) and set(included) - answer.matches == answer.included


def _refused(response: Any, query: Query, tally: Tally) -> None:
    text = response.get_data(as_text=True)
    codes = {issue.get("code") for issue in json.loads(text).get("issue", ())}
    lacking = query.features - tally.answers
    if "too-costly" in codes:
        tally.refused["too-costly"] += 1
    elif "not-supported" in codes and lacking:
        tally.refused[" + ".join(sorted(lacking))] += 1
    else:
        tally.wrong.append(f"{query.request}\n  answered {response.status_code}: {text[:400]}")


def _names(bundle: Resource, mode: str) -> list[str]:
    return [
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in bundle.get("entry", ())
        if entry["search"]["mode"] == mode
    ]


def _difference(
    query: Query, found: list[str], included: list[str], answer: Answer, oracle: Oracle
) -> str:
    """Say what one has and the other has not, with the resources in question."""
    missing, surplus = sorted(answer.matches - set(found)), sorted(set(found) - answer.matches)
    lines = [query.request, f"  features: {', '.join(sorted(query.features))}"]
    lines += [f"  not found: {missing}", f"  found too much: {surplus}"]
    if not missing and not surplus:
        lines.append(f"  order or includes: {found}; {included} for {sorted(answer.included)}")
    for name in [*missing, *surplus][:2]:
        item = oracle.asking.population.by_name.get(name)
        lines.append(f"  {json.dumps(item.resource if item else name, default=str)}")
    return "\n".join(lines)
