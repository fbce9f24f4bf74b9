"""`ehr audit`: does the audit trail still stand, who looked, and which looks are unusual."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ehr.cli import output, telling, times
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError, refused
from ehr.cli.opening import opened_database
from ehr.settings import load

if TYPE_CHECKING:
    from ehr.audit.event import Event
    from ehr.audit.verifying import Report
    from ehr.store.engine import Database


@click.group()
def audit() -> None:
    """Verify the audit trail, list who did what, and which looks are unusual."""


@audit.command(
    epilog=examples("ehr audit verify", "ehr audit verify --checkpoint /mnt/other/heads.jsonl")
)
@click.option("--checkpoint", help="File of signed heads; EHR_AUDIT_CHECKPOINT unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(checkpoint: str | None, as_json: bool) -> int:
    """Make every seal again from its rows and compare; exit with 1 if anything is wrong."""
    from ehr.audit import verifying

    named = load(os.environ).audit_checkpoint if checkpoint is None else checkpoint
    with opened_database(os.environ) as database:
        try:
            with output.bar("Verifying", verifying.size(database), "rows") as advance:
                report = verifying.verify(database, Path(named) if named else None, advance)
        except OSError as error:
            raise CommandError(
                f"The checkpoint file {named} can't be read.",
                f"{error.strerror}.",
                "Correct --checkpoint or EHR_AUDIT_CHECKPOINT, or leave it out.",
            ) from error
    if as_json:
        output.put_json(_plain(report))
    else:
        _show(report)
    return Exit.OK if report.is_sound else Exit.FAILED


def _plain(report: "Report") -> dict[str, Any]:
    return {
        "sound": report.is_sound,
        "seals": report.seals,
        "rows": report.rows,
        "unsealed": report.unsealed,
        "checkpoints": report.checkpoints,
        "first_broken_seal": report.first_broken,
        "fault_count": report.count,
        "faults": [{"seal": one.seq, "text": one.text} for one in report.faults],
    }


def _show(report: "Report") -> None:
    rows = output.counted(report.rows, "row")
    output.say(f"Read: {output.counted(report.seals, 'seal')} over {rows}.")
    output.say(f"Waiting for a seal: {output.counted(report.unsealed, 'row')}.")
    if report.checkpoints:
        output.say(f"Compared with {output.counted(report.checkpoints, 'checkpoint')}.")
    if report.is_sound:
        click.echo(f"{output.style('✓', fg='green')} The audit trail is whole.")
        return
    if report.first_broken is not None:
        click.echo(f"The first seal that is wrong: {report.first_broken}")
    for one in report.faults:
        click.echo(f"{output.style('✗', fg='red')} {one.text}")
    more = report.count - len(report.faults)
    if more:
        click.echo(f"and {more:,} more")
    click.echo("    Do: keep this database as it is, and compare it with a backup.")


@audit.command(
    "list",
    epilog=examples(
        "ehr audit list --patient mary-murray --since 7d",
        "ehr audit list --agent Practitioner/123 --json",
    ),
)
@click.option("--patient", help="Id of the patient whose record it was.")
@click.option("--agent", help="Who did it, as Practitioner/123.")
@click.option("--since", help="How far back: 30m, 8h or 90d.")
@click.option("--limit", default=100, type=click.IntRange(1, 100_000), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(
    patient: str | None, agent: str | None, since: str | None, limit: int, as_json: bool
) -> None:
    """List events, the newest first."""
    from ehr.audit import rows
    from ehr.audit.kinds import Kind

    earliest = None if since is None else times.now() - times.duration(since)
    with opened_database(os.environ) as database:
        keys = () if patient is None else (_key(database, patient),)
        with database.read() as connection:
            found = rows.listed(
                connection, patient_keys=keys, agent=agent, since=earliest, limit=limit
            )
            patients = rows.patients_of(connection, [one.row.patient_key for one in found])
        about = f"Patient/{patient.removeprefix('Patient/')}" if patient else agent or ""
        read = telling.Command(
            "ehr audit list", Kind.AUDIT_READ, about, patient_key=sum(keys), found=len(found)
        )
        telling.tell(database, read)
    output.put_list(
        [_described(one, patients) for one in found],
        ("time", "event", "outcome", "patient", "agent", "organisation", "client"),
        as_json=as_json,
        none="There are no such events.",
    )


@audit.command(epilog=examples("ehr audit unusual", "ehr audit unusual --since 7d --json"))
@click.option("--since", default="24h", show_default=True, help="How far back: 30m, 8h or 90d.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def unusual(since: str, as_json: bool) -> None:
    """List looks of staff into records that deserve a second look.

    Into their own record or that of somebody of their family name or address; into a record that
    only their own claim or an emergency opened; many claims or emergencies of one person; and
    emergencies of which the patient is told after more than a day. Run it each night: a privacy
    officer asks about what it lists.
    """
    from ehr.access.unusual import listing
    from ehr.audit import rows
    from ehr.audit.kinds import Kind

    earliest = times.now() - times.duration(since)
    with opened_database(os.environ) as database:
        with database.read() as connection:
            found = listing.unusual(connection, earliest)
            patients = rows.patients_of(connection, [one.looked.patient_key for one in found])
        telling.tell(
            database, telling.Command("ehr audit unusual", Kind.AUDIT_READ, found=len(found))
        )
    output.put_list(
        [
            {
                "agent": one.looked.agent,
                "patient": patients.get(one.looked.patient_key),
                "why": "; ".join(one.why),
                "times": str(one.looked.times),
                "last": times.shown(one.looked.last),
                "organisation": one.looked.organisation or None,
            }
            for one in found
        ],
        ("agent", "patient", "why", "times", "last"),
        as_json=as_json,
        none="Nothing is unusual.",
    )


def _key(database: "Database", patient: str) -> int:
    from ehr.store.locator import locate

    name = ("Patient", patient.removeprefix("Patient/"))
    with database.read() as connection:
        found = locate(connection, [name]).get(name)
    if found is None:
        raise refused(f"There is no Patient/{name[1]}.", "", "Give the id of a patient.")
    return found.patient_key


def _described(event: "Event", patients: dict[int, str]) -> dict[str, Any]:
    from ehr.audit.kinds import Kind

    row = event.row
    return {
        "time": times.shown(row.at),
        "event": Kind(row.kind).name.lower().replace("_", "-"),
        "outcome": str(row.outcome),
        "patient": patients.get(row.patient_key),
        "agent": row.agent,
        "role": row.role,
        "organisation": row.organisation,
        "client": row.client_id,
        "purpose": row.purpose,
        "on_behalf_of": row.on_behalf_of,
        "request": row.request_id,
        "found": row.found,
        "place": f"{event.place.writer}/{event.place.epoch}/{event.place.n}",
    }
