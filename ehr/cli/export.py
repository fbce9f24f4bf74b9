"""`ehr export`: the record as NDJSON, one file a type."""

import os
import time
from pathlib import Path

import click

from ehr.audit.kinds import Kind
from ehr.cli import output, telling
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError

# Ends of names that nobody gives a folder.
_OF_FILES = frozenset({".csv", ".gz", ".json", ".tar", ".txt", ".xml", ".zip", ".zst"})


@click.command(
    epilog=examples(
        "ehr export out/", "ehr export --type Observation --patient mary-murray mary.ndjson.gz"
    )
)
@click.argument("target", metavar="FOLDER|FILE.ndjson[.gz|.zst]", type=click.Path(path_type=Path))
@click.option("--type", "types", multiple=True, help="Only this resource type; may be repeated.")
@click.option("--patient", "patients", multiple=True, help="Only this patient's record, by id.")
@click.option("--overwrite", is_flag=True, help="Write over the files of an earlier export.")
@click.option("--compress", type=click.Choice(["gz", "zst"]), help="For the files of a folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def export(
    target: Path,
    types: tuple[str, ...],
    patients: tuple[str, ...],
    overwrite: bool,
    compress: str | None,
    as_json: bool,
) -> None:
    """Write every current resource as NDJSON, as the record stands at one moment."""
    from ehr.bulk import export as bulk
    from ehr.cli.opening import opened_record
    from ehr.cli.output import bar

    _check_types(types)
    _check_target(target, compress)
    if not overwrite:
        _check_nothing_is_there(target, types)
    began = time.monotonic()
    written = 0
    with opened_record(os.environ) as record, bar("Exporting", None, "resources") as advance:

        def count(size: int, resources: int) -> None:
            nonlocal written
            written += size
            advance(size, resources)

        about = " ".join(patients or types) or "all"
        telling.tell(record.database, telling.Command("ehr export", Kind.EXPORT_STARTED, about))
        try:
            counts = bulk.export(
                record,
                target,
                types=types,
                patients=[one.removeprefix("Patient/") for one in patients],
                compression=compress or "",
                advance=count,
            )
        except bulk.UnknownPatients as error:
            raise CommandError(
                f"There is no patient {error}.",
                "",
                "Give ids as in Patient/ID; `ehr get Patient` lists some.",
                exit=Exit.REFUSED,
            ) from None
        total = sum(counts.values())
        done = telling.Command("ehr export", Kind.EXPORT_FINISHED, about, found=total)
        telling.tell(record.database, done)
    _tell(counts, written, time.monotonic() - began, as_json=as_json)
    _tell_of_others(target, counts)


def _check_types(types: tuple[str, ...]) -> None:
    import difflib

    from fhir_profiles.definitions import is_resource_type, resource_types

    for type in types:
        if not is_resource_type(type):
            near = difflib.get_close_matches(type, resource_types(), n=1)
            hint = f"Did you mean {near[0]}?" if near else "Types are written as in Patient."
            raise click.UsageError(f"There is no resource type {type}. {hint}")


def _check_target(target: Path, compress: str | None) -> None:
    from ehr.bulk.export import is_folder

    if is_folder(target) and not target.is_dir() and target.suffix in _OF_FILES:
        raise click.UsageError(
            f"{target} would become a folder. Give a folder's name, or that of a file: .ndjson, "
            ".ndjson.gz or .ndjson.zst."
        )
    if compress and not is_folder(target):
        raise click.UsageError(
            "--compress is for folders; name the file .ndjson.gz or .ndjson.zst."
        )


def _check_nothing_is_there(target: Path, types: tuple[str, ...]) -> None:
    """Raise CommandError where the export would write over an earlier one."""
    there = [target] if target.is_file() else sorted(target.glob("*.ndjson*"))
    there = [one for one in there if not types or one == target or one.name.split(".")[0] in types]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise CommandError(
            f"{there[0]}{more} would be written over.",
            "An earlier export is there.",
            "Give another name, or --overwrite.",
            exit=Exit.USAGE,
        )


def _tell(counts: dict[str, int], size: int, seconds: float, *, as_json: bool) -> None:
    total = sum(counts.values())
    if as_json:
        output.put_json(
            {"resources": total, "bytes": size, "seconds": round(seconds, 3), "types": counts}
        )
        return
    rate = size / 1e6 / max(seconds, 0.001)
    shown = f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"
    click.echo(
        f"{output.counted(total, 'resource')}, {shown} in {seconds:.1f} s ({rate:,.1f} MB/s)."
    )
    for type, count in counts.items():
        output.say(f"  {type:<30} {count:>10,}")


def _tell_of_others(target: Path, counts: dict[str, int]) -> None:
    """Name the files in the folder that an earlier export wrote: they are of another moment."""
    if not target.is_dir():
        return
    others = sorted(
        path.name for path in target.glob("*.ndjson*") if path.name.split(".")[0] not in counts
    )
    if others:
        output.say(f"Not of this export, but in {target} from before: {', '.join(others)}")
