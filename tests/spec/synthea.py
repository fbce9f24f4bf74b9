"""Synthea's two populations for tests: bundles in load order, what was sent, and what came back."""

import json
import tarfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from tests.client import Client, expect
from tests.shared_data import shared

OLD = "synthea-2018-r4-smart"
NEW = "synthea-2021-uscore3-blaze"
Resource = dict[str, Any]


@cache
def names(population: str) -> tuple[str, ...]:
    """Return the member names, the information bundles first, then from small to large."""
    with tarfile.open(shared(f"synthea/{population}.tar.gz")) as archive:
        members = sorted(
            (not member.name.startswith("0-"), member.size, member.name)
            for member in archive.getmembers()
            if member.isfile()
        )
    return tuple(name for _, _, name in members)


def bundles(population: str, wanted: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted bundles in load order."""
    with tarfile.open(shared(f"synthea/{population}.tar.gz")) as archive:
        for name in names(population):
            if name in wanted:
                member = archive.extractfile(name)
                assert member is not None
                yield name, member.read()


def load(client: Client, data: bytes) -> list[tuple[Resource, str]]:
    """Send a bundle, which must succeed; return each resource sent with the place it has now."""
    sent = json.loads(data, parse_float=Decimal)
    answer = expect(client.post("", data), 200)
    refused = [one for one in answer["entry"] if not one["response"]["status"].startswith("20")]
    assert not refused, refused[:3]
    return [
        (entry["resource"], _place(one["response"]["location"]))
        for entry, one in zip(sent["entry"], answer["entry"], strict=True)
    ]


def _place(location: str) -> str:
    return location.rpartition("/fhir/")[2].partition("/_history/")[0]


def links(loaded: list[tuple[Resource, str]], data: bytes) -> dict[str, str]:
    """Return what each full URL of a bundle leads to now."""
    entries = json.loads(data)["entry"]
    return {entry["fullUrl"]: place for entry, (_, place) in zip(entries, loaded, strict=True)}


def conditional(resource: Resource) -> Iterator[str]:
    """Yield the conditional references in a resource."""
    stack: list[Any] = [resource]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            text = value.get("reference")
            if isinstance(text, str) and "?" in text:
                yield text
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def relinked(value: Any, places: Mapping[str, str]) -> Any:
    """Return a resource as it should be stored: every Reference that was a link leads on."""
    if isinstance(value, dict):
        made = {name: relinked(part, places) for name, part in value.items()}
        text = value.get("reference")
        if isinstance(text, str) and text in places:
            made["reference"] = places[text]
        return made
    if isinstance(value, list):
        return [relinked(part, places) for part in value]
    return value


def exact(resource: Resource, *, ordered: bool = True) -> str:
    """Return a text that tells member order and decimals apart; id and server's meta left out."""
    kept = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    meta = {
        name: value
        for name, value in resource.get("meta", {}).items()
        if name not in ("versionId", "lastUpdated")
    }
    return json.dumps([meta, kept], default=_decimal, sort_keys=not ordered)


def _decimal(number: Decimal) -> str:
    return f"decimal {number}"


@cache
def expected(population: str) -> tuple[tuple[str, int], ...]:
    """Return the searches with known totals."""
    data = json.loads(shared("synthea/expected-totals.json").read_text("utf-8"))
    (found,) = (one for one in data["sets"] if one["set"] == population)
    return tuple((one["request"], one["total"]) for one in found["queries"])
