"""`ehr settings`: name, variable, value and source of every setting; secrets are not shown."""

import os

import click

from ehr.cli import output
from ehr.cli.examples import examples
from ehr.settings import SETTINGS, load


@click.command(epilog=examples("ehr settings", "EHR_PORT=9000 ehr settings --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def settings(as_json: bool) -> None:
    """Show every setting, its value and where it comes from."""
    load(os.environ)  # refuses what can't be used
    found = [
        {
            "variable": setting.variable,
            "value": setting.shown(os.environ.get(setting.variable, setting.default).strip()),
            "source": "environment" if setting.variable in os.environ else "default",
            "default": setting.default if not setting.secret else "",
            "help": setting.help,
        }
        for setting in SETTINGS
    ]
    output.put_list(found, ("variable", "value", "source", "help"), as_json=as_json)
