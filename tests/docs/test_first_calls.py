"""The README's curl calls, answered by a record with its demo person; no socket needed."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from ehr.demo import bundles
from tests.client import Client

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
CALLS = README.partition("## First calls")[2].partition("\n## ")[0]


def _curl_calls() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)\n```", CALLS, re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    arguments = [word.replace("\\$", "$") for word in shlex.split(text)]
    starts = [n for n, word in enumerate(arguments) if word == "curl"] + [len(arguments)]
    return [arguments[one + 1 : two] for one, two in pairwise(starts)]


@pytest.fixture
def mary(client: Client) -> Client:
    _, bundle = next(bundles())
    client.transact(bundle)
    return client


def test_each_call_succeeds_in_the_order_of_the_page(mary: Client) -> None:
    calls = _curl_calls()

    assert len(calls) >= 6
    for call in calls:
        method, path, body, headers = _request(call)
        assert mary.token is not None
        sent = {name: value.replace("$TOKEN", mary.token) for name, value in headers.items()}
        bare = Client(mary.flask, None)

        answer = bare.request(
            method, path, body, headers=sent, content_type=headers.get("Content-Type", "")
        )

        assert answer.status_code in (200, 201), (call, answer.get_data(as_text=True)[:500])


def test_what_the_page_adds_is_there_afterwards(mary: Client) -> None:
    for call in _curl_calls():
        method, path, body, headers = _request(call)
        if body:
            mary.request(method, path, body, content_type=headers["Content-Type"])

    weights = mary.read("Observation?patient=mary-murray&code=http://loinc.org|29463-7&_sort=-date")
    versions = mary.read("CarePlan/mary-murray-plan/_history")

    values = [str(e["resource"]["valueQuantity"]["value"]) for e in weights["entry"]]
    assert values == ["71.20", "71.50"]
    assert versions["total"] == 2


def _request(call: list[str]) -> tuple[str, str, str | None, dict[str, str]]:
    """Read curl's arguments as the few that the page uses."""
    method, path, body, headers = "GET", "", None, {}
    words = iter(call)
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word == "-X":
            method = next(words)
        else:
            path = word.removeprefix("$FHIR/")
    return ("POST" if body and method == "GET" else method), path, body, headers
