"""The Synthea sets of the reference data as Bundles ready to send."""

import tarfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.shared_data import MISSING, shared_folder

SETS = {
    "synthea-2018": "synthea/synthea-2018-r4-smart.tar.gz",
    "synthea-2021": "synthea/synthea-2021-uscore3-blaze.tar.gz",
}


class _Bundle(msgspec.Struct):
    type: str = ""
    entry: list[msgspec.Raw] = []


@dataclass(frozen=True, slots=True)
class Sent:
    """One Bundle as it is sent."""

    name: str
    body: bytes
    entries: int
    is_information: bool


def archive_of(name: str) -> Path:
    """Return the file of a set; end the run where the reference data is not there."""
    if not shared_folder().is_dir():
        raise SystemExit(MISSING)
    return shared_folder() / SETS[name]


def bundles(name: str, limit: int | None = None) -> list[Sent]:
    """Return a set: information Bundles first, then `limit` others, the largest among them."""
    found: list[Sent] = []
    with tarfile.open(archive_of(name)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".json") else None
            if content is not None:
                body = content.read()
                frame = msgspec.json.decode(body, type=_Bundle)
                if frame.entry:
                    information = "Information" in member.name
                    found.append(Sent(member.name, body, len(frame.entry), information))
    found.sort(key=lambda one: (not one.is_information, one.name))
    information = [one for one in found if one.is_information]
    patients = [one for one in found if not one.is_information]
    if limit is not None and limit < len(patients):
        largest = max(patients, key=lambda one: one.entries)
        others = [one for one in patients if one is not largest]
        patients = [*others[: limit - 1], largest]
    return information + patients
