"""The people that `ehr demo` shows: Mary Murray with her care team, and five made by Synthea.

Where they come from and their licence: NOTICE.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path

from fhir_profiles import json_format

_FOLDER = Path(__file__).parent


def bundles() -> Iterator[tuple[str, bytes]]:
    """Give each transaction Bundle of the sample with its name.

    Without the white space of its source: the record gives bodies back as they came.
    """
    yield "Mary Murray", _minified((_FOLDER / "mary-murray.json").read_bytes())
    with tarfile.open(_FOLDER / "sample.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            yield " ".join(member.name.split("_")[:2]), _minified(content.read())


def consultant() -> bytes:
    """Return the transaction Bundle of a consultant and her hospital."""
    return _minified((_FOLDER / "consultant.json").read_bytes())


def _minified(bundle: bytes) -> bytes:
    return json_format.serialise(json_format.parse(bundle))
