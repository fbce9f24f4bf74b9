"""`ehr get PATH`: answer one request in process, through the same endpoint as the server."""

import os
import sys

import click

from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.opening import opened_record


@click.command(
    epilog=examples(
        "ehr get Patient/mary-murray",
        "ehr get --headers 'Observation?patient=mary-murray&_sort=-date'",
    )
)
@click.argument("path")
@click.option("--headers", is_flag=True, help="Print the status and headers first.")
@click.option("--compact", is_flag=True, help="Print the answer as it is sent, on one line.")
def get(path: str, headers: bool, compact: bool) -> int:
    """Answer GET PATH (below /fhir) without starting a server; refusals exit with 5."""
    from ehr.cli.in_process import ask

    with opened_record(os.environ) as record:
        status, sent, body = ask(record, path if compact else _pretty(path))
        kind = dict(sent).get("Content-Type", "")
        if headers:
            click.echo(str(status))
            for name, value in sent:
                click.echo(f"{name}: {value}")
            click.echo()
        _write(b"".join(body), is_text="+json" in kind or "+xml" in kind)
    return Exit.OK if status < 400 else Exit.REFUSED


def _pretty(path: str) -> str:
    if "_pretty=" in path:
        return path
    return f"{path}{'&' if '?' in path else '?'}_pretty=true"


def _write(content: bytes, *, is_text: bool) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    # Raw content goes into a file byte for byte.
    if not content.endswith(b"\n") and (is_text or sys.stdout.isatty()):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
