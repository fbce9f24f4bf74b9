"""Command line of the condenser: read the package, write the files and their MANIFEST.json."""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zstandard

from fhir_profiles.condense.compartment_tables import condense_compartments
from fhir_profiles.condense.definitions_package import Package, read_package
from fhir_profiles.condense.operation_tables import condense_operations
from fhir_profiles.condense.search_tables import condense_search_parameters
from fhir_profiles.condense.structures import condense_structures
from fhir_profiles.condense.value_sets import condense_value_sets

TARGET = Path(__file__).parent.parent / "r4" / "core"


def main(arguments: list[str]) -> int:
    """Condense the package named on the command line into the committed folder."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m fhir_profiles.condense PACKAGE.tgz\n")
        return 2
    source = Path(arguments[0])
    if not source.is_file():
        sys.stderr.write(f"No package file at {source}. Give the path of hl7.fhir.r4.core.tgz.\n")
        return 2
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in condensed_files(source.read_bytes()).items():
        (TARGET / name).write_bytes(content)
        sys.stdout.write(f"{name}: {len(content):,} bytes\n")
    return 0


def condensed_files(archive: bytes) -> dict[str, bytes]:
    """Return every committed file by name, MANIFEST.json included."""
    package = read_package(archive)
    structures = condense_structures(package)
    tables: dict[str, Mapping[str, Any]] = {
        "structures": structures,
        "value-sets": condense_value_sets(package),
        "search-parameters": condense_search_parameters(package, structures),
        "compartments": condense_compartments(package),
        "operations": condense_operations(package),
    }
    texts = {name: _text(table) for name, table in tables.items()}
    packer = zstandard.ZstdCompressor(level=19)
    files = {f"{name}.json.zst": packer.compress(text) for name, text in texts.items()}
    return files | {"MANIFEST.json": _manifest(archive, package, tables, texts)}


def _text(table: Mapping[str, Any]) -> bytes:
    return json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _manifest(
    archive: bytes,
    package: Package,
    tables: Mapping[str, Mapping[str, Any]],
    texts: Mapping[str, bytes],
) -> bytes:
    manifest = {
        "package": package.name,
        "version": package.version,
        "license": package.license,
        "sha256": hashlib.sha256(archive).hexdigest(),
        "counts": package.counts(),
        "files": {
            f"{name}.json.zst": {
                "entries": {key: len(part) for key, part in sorted(table.items())},
                # Of the JSON text: compressed bytes change with the version of zstd.
                "json_sha256": hashlib.sha256(texts[name]).hexdigest(),
            }
            for name, table in tables.items()
        },
    }
    return (json.dumps(manifest, indent=2) + "\n").encode()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
