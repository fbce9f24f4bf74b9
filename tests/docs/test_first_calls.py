"""The README's calls, one after another, answered by a record with its demo people; no socket."""

import json
import re
import shlex
from pathlib import Path
from urllib.parse import quote

import pytest

from ehr import cli
from ehr.cli import demo_access
from ehr.cli.demo import DEMO_FILE
from ehr.cli.demo_token import token_for
from ehr.demo import bundles, consultant
from ehr.record import Record
from tests.client import Client

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
CALLS = README.partition("## First calls")[2].partition("\n## Commands")[0]
_BEGINS = r"(?:curl |EHR_[A-Z_]+=|[A-Z]+=\$\()"
_PROGRAM = ".venv/bin/ehr"
# What a call is answered that is to be refused, as a comment behind it says.
_REFUSED = re.compile(r" # ([0-9]{3})\b.*$")

Answers = dict[str, str]


def _calls() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)\n```", CALLS, re.DOTALL)
    return [call for block in blocks for call in re.split(rf"\n(?={_BEGINS})", block)]


@pytest.fixture
def mary(client: Client, record: Record, folder_of_its_own: Path) -> Client:
    _, bundle = next(bundles())
    client.transact(bundle)
    client.transact(consultant())
    demo_access.make(record, folder_of_its_own / DEMO_FILE)
    return client


@pytest.fixture
def answers(
    mary: Client,
    record: Record,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Answers:
    """Make every call of the page and return the answers, which all must be good ones."""
    assert mary.token is not None
    known = {"TOKEN": mary.token}
    found: Answers = {}
    for call in _calls():
        named = re.fullmatch(r"([A-Z]+)=\$\((.*)\)", call)
        refused = _REFUSED.search(call)
        words = shlex.split(named[2] if named else _REFUSED.sub("", call))
        if words[0] == "curl":
            expected = (int(refused[1]),) if refused else (200, 201)
            found[call] = _over_http(mary, words[1:], known, expected)
            continue
        if named and words[:3] == [_PROGRAM, "demo", "--token"]:
            known[named[1]] = token_for(record, words[3]) or ""
            continue
        variable, _, url = words[0].partition("=")
        assert words[1] == _PROGRAM
        is_demo = url == f"sqlite:///{DEMO_FILE}"
        monkeypatch.setenv(variable, database_url if is_demo else url)
        assert cli.run(words[2:]) == 0, capsys.readouterr()
        found[call] = capsys.readouterr().out
        if named:
            known[named[1]] = found[call].strip()
    return found


def _over_http(
    client: Client, words: list[str], known: dict[str, str], expected: tuple[int, ...]
) -> str:
    method, path, body, headers = _request(words)
    sent = {
        name: re.sub(r"\$([A-Z]+)", lambda name: known[name[1]], value)
        for name, value in headers.items()
    }

    answer = Client(client.flask, None).request(
        method, path, body, headers=sent, content_type=headers.get("Content-Type", "")
    )

    text = answer.get_data(as_text=True)
    assert answer.status_code in expected, (words, text[:500])
    return text


def _request(words: list[str]) -> tuple[str, str, str | None, dict[str, str]]:
    """Read curl's arguments as the few that the page uses."""
    method, path, body, headers, query = "GET", "", None, {}, []
    given = iter(words)
    for word in given:
        if word == "-H":
            name, _, value = next(given).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(given)
        elif word == "-X":
            method = next(given)
        elif word == "--data-urlencode":
            assert "-G" in words
            name, _, value = next(given).partition("=")
            query.append(f"{name}={quote(value)}")
        elif word != "-G":
            path = word.removeprefix("$FHIR/").replace("${FHIR%/fhir}", "").replace("\\$", "$")
    path += "?" * bool(query) + "&".join(query)
    return ("POST" if body and method == "GET" else method), path, body, headers


def _of(answers: Answers, part: str) -> str:
    [found] = [answer for call, answer in answers.items() if part in call]
    return found


def test_each_call_is_answered_as_the_page_says(answers: Answers) -> None:
    _adds(answers)
    _tells_people_apart(answers)
    _registers_an_app(answers)
    _asks_programs(answers)


def _adds(answers: Answers) -> None:
    assert len(answers) >= 16
    searches = [answer for call, answer in answers.items() if "--data-urlencode" in call]
    assert [json.loads(one)["total"] for one in searches] == [1, 1]
    weights = json.loads(_of(answers, "&_sort=-date"))
    versions = json.loads(_of(answers, "_history"))

    values = [str(e["resource"]["valueQuantity"]["value"]) for e in weights["entry"]]
    assert values == ["71.2", "71.5"]
    assert versions["total"] == 2


def _tells_people_apart(answers: Answers) -> None:
    refused = json.loads(_of(answers, "MedicationRequest"))
    hidden = json.loads(_of(answers, '$TOM" "$FHIR/Patient/walk-in'))
    looked = json.loads(_of(answers, "AuditEvent?patient=mary-murray"))

    said = refused["issue"][0]["diagnostics"]
    assert said.startswith("The role social-worker may not do create on MedicationRequest.")
    assert "may: gp, hospital-consultant" in said
    assert hidden["issue"][0]["diagnostics"] == "There is no Patient/walk-in."
    assert 'is at W/"2"' in json.loads(_of(answers, "# 428"))["issue"][0]["diagnostics"]
    assert answers['curl -H "Authorization: Bearer $PRIYA" "$FHIR/Patient/walk-in"'].count("Khan")
    readers = [
        agent["who"].get("reference")
        for entry in looked["entry"]
        for agent in entry["resource"]["agent"]
    ]
    assert "Practitioner/tom-baird" in readers


def _registers_an_app(answers: Answers) -> None:
    told = json.loads(_of(answers, "/auth/register"))

    assert told["client_name"] == "Growth charts"
    assert "patient/*.rs" in told["scope"]


def _asks_programs(answers: Answers) -> None:
    assert '"family": "Murray"' in _of(answers, "ehr get")
    assert '"ready"' in _of(answers, "reindex")
    assert "CarePlan.title (string)" in _of(answers, "ehr explain")
    assert json.loads(_of(answers, "_explain"))["resourceType"] == "Parameters"
    assert "monday.ehr is whole" in _of(answers, "db backup")
    assert "✗" not in _of(answers, "ehr check --deep")


def test_the_commands_are_listed_as_the_program_does() -> None:
    section = README.partition("## Commands")[2].partition("\n## ")[0]

    told = re.findall(r"^\| `ehr ([a-z]+)` \| (.*) \|$", section, re.MULTILINE)

    assert told == [(name, help) for name, (_, help) in cli.COMMANDS.items()]
