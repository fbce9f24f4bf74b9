"""The condensed R4 definitions on disk, each file read when it is first needed.

Written by `fhir_profiles.condense`; the data are those of the official package (CC0).
"""

from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "r4" / "core"


def read_table(name: str, shape: Any) -> Any:
    """Return one committed table, decoded to the given msgspec shape."""
    # Imported here: a program that only names types must not pay for the decoders.
    import msgspec
    import zstandard

    packed = (_FOLDER / f"{name}.json.zst").read_bytes()
    return msgspec.json.decode(zstandard.ZstdDecompressor().decompress(packed), type=shape)
