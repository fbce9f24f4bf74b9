"""`ehr explain PATH`: how the record answers a search, as tables for people or JSON."""

import json
import os
from typing import TYPE_CHECKING, Any

import click

from ehr.cli import output
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.errors import PASSED_OVER

if TYPE_CHECKING:
    from ehr.rest.respond import Response

Part = dict[str, Any]
_WORK = ("rows-read", "instructions")  # what PostgreSQL counts, what SQLite counts


@click.command(
    epilog=examples(
        "ehr explain 'Observation?patient=mary-murray&code=8867-4'",
        "ehr explain --json 'Patient?name=murray'",
    )
)
@click.argument("path")
@click.option("--sql", is_flag=True, help="Print the whole text of each statement.")
@click.option("--json", "as_json", is_flag=True, help="Print the Parameters resource.")
def explain(path: str, sql: bool, as_json: bool) -> None:
    """Tell how the search GET PATH (below /fhir) is answered: plan, indexes, rows and time."""
    from ehr.cli.in_process import ask
    from ehr.cli.opening import opened_record

    asked = f"{path}{'&' if '?' in path else '?'}_explain=true"
    with opened_record(os.environ) as record:
        told = _resource(ask(record, asked))
    if as_json:
        output.put_json(told)
        return
    for part in told["parameter"]:
        if part["name"] != "statement":
            _put_facts(part)
    statements = [part for part in told["parameter"] if part["name"] == "statement"]
    _put_statements(statements, sql=sql)


def _resource(answer: "Response") -> Part:
    status, _, body = answer
    told: Part = json.loads(b"".join(body))
    if told.get("resourceType") == "Parameters":
        return told
    said = [issue["diagnostics"] for issue in told.get("issue", ()) if "diagnostics" in issue]
    what = said[0].removesuffix(PASSED_OVER).strip() if said else ""
    if not what or "`_explain`" in what:  # which the caller never wrote
        raise CommandError(
            "This is no search, so there is nothing to explain.",
            "" if what else f"The record answered {status}.",
            "Give a search, as in 'Observation?code=8867-4'.",
            exit=Exit.USAGE,
        )
    raise CommandError(what, "", "Correct the search and repeat it.", exit=Exit.REFUSED)


def _put_facts(part: Part) -> None:
    click.echo(output.style(part["name"].capitalize(), bold=True))
    for name, value in _pairs(part):
        click.echo(f"  {name:<14} {value}")


def _put_statements(parts: list[Part], *, sql: bool) -> None:
    work = next((name for name in _WORK if any(_all(part, name) for part in parts)), _WORK[0])
    rows = [
        (
            str(number),
            _one(part, "purpose"),
            _one(part, "rows"),
            _one(part, work),
            _one(part, "milliseconds"),
            ", ".join(_all(part, "index")) or "-",
        )
        for number, part in enumerate(parts, 1)
    ]
    output.put_table(("#", "statement", "rows", work.replace("-", " "), "ms", "index"), rows)
    for number, part in enumerate(parts, 1):
        click.echo()
        click.echo(f"{number}. {_one(part, 'asked-by')}")
        if sql:
            click.echo(_one(part, "sql"))
        for line in _all(part, "query-plan"):
            click.echo(f"   {line}")


def _one(part: Part, name: str) -> str:
    return next(iter(_all(part, name)), "-")


def _all(part: Part, name: str) -> list[str]:
    return [value for found, value in _pairs(part) if found == name]


def _pairs(part: Part) -> list[tuple[str, str]]:
    return [
        (inside["name"], str(value))
        for inside in part.get("part", ())
        for key, value in inside.items()
        if key != "name"
    ]
