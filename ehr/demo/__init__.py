"""The people that `ehr demo` shows: Mary Murray with her care team, and five made by Synthea.

Where they come from and their licence: NOTICE.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path

_FOLDER = Path(__file__).parent


def bundles() -> Iterator[tuple[str, bytes]]:
    """Give each transaction Bundle of the sample with its name."""
    yield "Mary Murray", (_FOLDER / "mary-murray.json").read_bytes()
    with tarfile.open(_FOLDER / "sample.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            yield " ".join(member.name.split("_")[:2]), content.read()
