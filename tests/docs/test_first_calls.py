"""The README's calls, one after another, answered by a record with its demo person; no socket."""

import json
import re
import shlex
from pathlib import Path
from urllib.parse import quote

import pytest

from ehr import cli
from ehr.cli.demo import DEMO_FILE
from ehr.demo import bundles
from tests.client import Client

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
CALLS = README.partition("## First calls")[2].partition("\n## Commands")[0]
_BEGINS = r"(?:curl |EHR_[A-Z_]+=|[A-Z]+=\$\()"
_PROGRAM = ".venv/bin/ehr"

Answers = dict[str, str]


def _calls() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)\n```", CALLS, re.DOTALL)
    return [call for block in blocks for call in re.split(rf"\n(?={_BEGINS})", block)]


@pytest.fixture
def mary(client: Client) -> Client:
    _, bundle = next(bundles())
    client.transact(bundle)
    return client


@pytest.fixture
def answers(
    mary: Client,
    database_url: str,
    folder_of_its_own: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Answers:
    """Make every call of the page and return the answers, which all must be good ones."""
    assert mary.token is not None
    known = {"TOKEN": mary.token}
    found: Answers = {}
    for call in _calls():
        named = re.fullmatch(r"([A-Z]+)=\$\((.*)\)", call)
        words = shlex.split(named[2] if named else call)
        if words[0] == "curl":
            found[call] = _over_http(mary, words[1:], known)
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


def _over_http(client: Client, words: list[str], known: dict[str, str]) -> str:
    method, path, body, headers = _request(words)
    sent = {
        name: re.sub(r"\$([A-Z]+)", lambda name: known[name[1]], value)
        for name, value in headers.items()
    }

    answer = Client(client.flask, None).request(
        method, path, body, headers=sent, content_type=headers.get("Content-Type", "")
    )

    text = answer.get_data(as_text=True)
    assert answer.status_code in (200, 201), (words, text[:500])
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


def test_each_call_succeeds_in_the_order_of_the_page(answers: Answers) -> None:
    assert len(answers) >= 16
    searches = [answer for call, answer in answers.items() if "--data-urlencode" in call]
    assert [json.loads(one)["total"] for one in searches] == [1, 1]


def test_what_the_page_adds_is_there_afterwards(answers: Answers) -> None:
    weights = json.loads(_of(answers, "&_sort=-date"))
    versions = json.loads(_of(answers, "_history"))

    values = [str(e["resource"]["valueQuantity"]["value"]) for e in weights["entry"]]
    assert values == ["71.2", "71.5"]
    assert versions["total"] == 2


def test_the_app_of_the_page_registers_itself(answers: Answers) -> None:
    told = json.loads(_of(answers, "/auth/register"))

    assert told["client_name"] == "Growth charts"
    assert "patient/*.rs" in told["scope"]


def test_what_the_page_asks_of_programs_is_answered(answers: Answers) -> None:
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
