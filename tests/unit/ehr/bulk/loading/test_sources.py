"""What is found in files, folders and archives, in which order, cut into which units."""

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from ehr.bulk.loading.sources import Phase, UnreadableSource, open_sources
from ehr.bulk.loading.units import units

PATIENT = b'{"resourceType":"Patient","id":"p"}'
OBSERVATION = b'{"resourceType":"Observation","id":"o"}'
ORGANIZATION = b'{"resourceType":"Organization","id":"g"}'


def _fill(folder: Path) -> None:
    (folder / "Observation.ndjson").write_bytes(OBSERVATION + b"\n\n" + OBSERVATION + b"\n")
    (folder / "Patient.ndjson.gz").write_bytes(gzip.compress(PATIENT))
    (folder / "organization.json").write_bytes(ORGANIZATION)
    (folder / "notes.txt").write_text("not a resource")


def test_shared_types_come_first_then_patients(tmp_path: Path) -> None:
    _fill(tmp_path)

    with open_sources([tmp_path]) as found:
        pass

    assert [one.phase for one in found] == [Phase.SHARED, Phase.PATIENTS, Phase.REST]


def test_rejects_of_earlier_loads_are_taken_only_when_named(tmp_path: Path) -> None:
    _fill(tmp_path)
    for name in ("ehr-load-rejects.ndjson", "ehr-load-rejects-2.ndjson"):
        (tmp_path / name).write_bytes(PATIENT)

    with open_sources([tmp_path]) as in_folder:
        pass
    with open_sources([tmp_path / "ehr-load-rejects.ndjson"]) as named:
        pass

    assert len(in_folder) == 3
    assert len(named) == 1


def test_information_bundles_come_first_whatever_they_hold(tmp_path: Path) -> None:
    for name in ("a.json", "0-hospitalInformation1.json", "practitionerInformation1.json"):
        (tmp_path / name).write_text('{"resourceType":"Bundle","type":"batch"}')

    with open_sources([tmp_path]) as found:
        pass

    assert [one.phase for one in found] == [Phase.SHARED, Phase.SHARED, Phase.REST]
    assert found[-1].name.endswith("a.json")


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tgz", "zip"])
def test_an_archive_is_read_where_it_lies(tmp_path: Path, kind: str) -> None:
    archive = tmp_path / f"set.{kind}"
    members = {"in/Patient.ndjson": PATIENT, "in/o.json.gz": gzip.compress(OBSERVATION)}
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for name, data in members.items():
                packed.writestr(name, data)
    else:
        with tarfile.open(archive, "w" if kind == "tar" else "w:gz") as packed_tar:
            for name, data in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                packed_tar.addfile(member, io.BytesIO(data))

    with open_sources([archive]) as found:
        pieces = [piece for unit in units(found) for piece in unit.pieces]

    assert [piece.raw for piece in pieces] == [PATIENT, OBSERVATION]
    assert pieces[0].source == f"set.{kind}/in/Patient.ndjson"
    assert pieces[0].line == 1


def test_lines_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    _fill(tmp_path)

    with open_sources([tmp_path / "Observation.ndjson"]) as found:
        (unit,) = units(found)

    assert [piece.line for piece in unit.pieces] == [1, 3]


def test_the_key_of_a_unit_follows_its_content(tmp_path: Path) -> None:
    path = tmp_path / "o.json"
    path.write_bytes(OBSERVATION)
    before = _only_key(path)
    path.write_bytes(json.dumps({"resourceType": "Observation"}).encode())

    assert _only_key(path) != before


def _only_key(path: Path) -> str:
    with open_sources([path]) as found:
        (unit,) = units(found)
    return unit.key


@pytest.mark.parametrize(
    "name", ["missing.json", "broken.tar.gz", "broken.zip", "broken.json.gz", "broken.json.zst"]
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    if name != "missing.json":
        (tmp_path / name).write_bytes(b"\x1f\x8bnonsense")

    with pytest.raises(UnreadableSource, match=name), open_sources([tmp_path / name]):
        pass
