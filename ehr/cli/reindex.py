"""`ehr reindex`: make index rows again by the definitions in force, and prove their counts."""

import os
from typing import Any

import click

from ehr.cli import output
from ehr.cli.examples import examples
from ehr.cli.exits import Exit


@click.command(
    epilog=examples(
        "ehr reindex", "ehr reindex --parameter eye-colour", "ehr reindex --type Patient --json"
    )
)
@click.option("--type", "types", multiple=True, help="Only resources of this type; repeatable.")
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    help="Only what the SearchParameter with this url or code needs; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reindex(types: tuple[str, ...], parameters: tuple[str, ...], as_json: bool) -> int:
    """Let search parameters take effect and repair the index, beside a record in use.

    Stopped, it goes on when it is called again. Exits with 1 where the counts do not agree.
    """
    from ehr.cli.opening import opened_record
    from ehr.operations.reindexing.asked import asked
    from ehr.operations.reindexing.job import take

    with opened_record(os.environ) as record:
        job = take(record, asked(types, parameters))
        if job.begun.resumed:
            output.say("Going on where an earlier run was stopped.")
        with output.bar("Reindexing", None, "resources") as advance:
            outcome = job.run(lambda _phase: lambda more: advance(more, more))
    if as_json:
        output.put_json(outcome)
    else:
        _put(outcome)
    return Exit.OK if outcome["state"] == "done" else Exit.FAILED


def _put(outcome: dict[str, Any]) -> None:
    visited = output.counted(outcome["visited"], "resource")
    click.echo(f"Visited: {visited}, of which {outcome['changed']:,} had other rows.")
    rows = [
        (one["type"], f"{one['resources']:,}", f"{one['indexed']:,}") for one in outcome["types"]
    ]
    output.put_table(("type", "resources", "indexed"), rows)
    click.echo()
    rows = [_row(one["table"], one) for one in outcome["tables"]]
    output.put_table(("table", "rows by the resources", "rows there"), rows)
    if outcome["parameters"]:
        click.echo()
        some = [(*_row(one["code"], one), one["state"]) for one in outcome["parameters"]]
        output.put_table(("parameter", "rows by the resources", "rows there", "state"), some)
    for one in outcome["unfit"]:
        click.echo(
            f"{one['expression']} does not fit {output.counted(one['resources'], 'resource')}: "
            "it has no value there."
        )
    _put_disagreements(outcome["disagreements"])


def _put_disagreements(found: list[dict[str, Any]]) -> None:
    for one in found:
        mark = output.style("✗", fg="red")
        click.echo(
            f"{mark} {one['table']} {one['parameter']}: {one['counted']:,} rows are there, the "
            f"resources give {one['expected']:,}"
        )
    if found:
        click.echo("    Do: Run `ehr check --deep` and report what it says to the maintainers.")


def _row(name: str, one: dict[str, Any]) -> tuple[str, str, str]:
    return name, f"{one['expected']:,}", f"{one['counted']:,}"
