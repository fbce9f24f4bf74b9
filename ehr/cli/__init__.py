"""The command line: `ehr COMMAND`. A command's module is imported when the command is called.

Failures have three parts (what, why, what to do) and one exit code a kind (`exits.py`); a traceback
comes with `--debug` only.
"""

import importlib
import os
import sys
from typing import Any

import click

from ehr.cli.examples import examples
from ehr.cli.exits import Exit

# name -> (module, one line of help); the function has the name of the command
COMMANDS = {
    "demo": ("ehr.cli.demo", "Start the record with people to try it on."),
    "serve": ("ehr.cli.serve", "Start the record."),
    "get": ("ehr.cli.get", "Answer one request without starting a server."),
    "explain": ("ehr.cli.explain", "Tell how a search is answered, and what it costs."),
    "check": ("ehr.cli.check", "Check that this installation is fit for use."),
    "reindex": ("ehr.cli.reindex", "Let search parameters take effect; repair the index."),
    "export": ("ehr.cli.export", "Write the record as NDJSON."),
    "db": ("ehr.cli.db", "Upgrade, back up, restore and copy the database."),
    "load": ("ehr.cli.load", "Load Bundles, NDJSON and single resources."),
    "user": ("ehr.cli.user", "Invite people, and look after those who sign in."),
    "token": ("ehr.cli.token", "Make, list and revoke access tokens."),
    "client": ("ehr.cli.client", "Register apps and systems that ask for tokens."),
    "keys": ("ehr.cli.keys", "Change and list the keys that sign."),
    "audit": (
        "ehr.cli.audit",
        "Verify the audit trail, list who did what, and which looks are unusual.",
    ),
    "settings": ("ehr.cli.settings", "Show every setting, its value and where it comes from."),
}


class _Commands(click.Group):
    """Knows its commands by name; start-up imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[name][0]), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command {args[0]}.{_near(args[0])}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in COMMANDS.items()])


def _show_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("shared-care-record")
    except PackageNotFoundError:  # run from a checkout that nobody installed
        number = "(not installed)"
    click.echo(f"ehr {number}")
    ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "ehr demo", "EHR_DATABASE_URL=sqlite:///ehr-demo.db ehr get Patient/mary-murray"
    ),
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, help="Print the traceback of a failure.")
def cli(debug: bool) -> None:
    """One living health and care record per person, on FHIR R4."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; failures are printed, not raised."""
    try:
        result: Any = cli.main(arguments, prog_name="ehr", standalone_mode=False)
    except click.Abort:
        click.echo("Stopped.", err=True)
        return Exit.INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except BrokenPipeError:  # `ehr … | head`: the reader has what it wanted
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - nothing is left to say at exit
        return Exit.OK
    except Exception as error:
        if "--debug" in arguments:
            raise
        return _failed(error)
    return result if isinstance(result, int) else Exit.OK


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return Exit.USAGE
    click.echo(f"Error: {error.format_message()}", err=True)
    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(f"Do:    See `{context.command_path} --help`.", err=True)
    return Exit.USAGE


def _failed(error: Exception) -> int:
    from ehr.cli.failures import describe

    failure = describe(error)
    click.echo(failure.text(), err=True)
    return failure.exit


def _near(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    return f" Did you mean {near[0]}?" if near else ""
