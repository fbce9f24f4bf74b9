"""Stable 32-bit ids for element paths and search parameters, the same in every database.

`Observation.subject` and `Observation.code` are the texts hashed; a test proves that no two known
texts share an id.
"""

from functools import cache
from hashlib import blake2b


@cache
def stable_id(text: str) -> int:
    """Return a signed 32-bit id of a path or `Type.code`."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big", signed=True)


def beside_id(id: int, what: str) -> int:
    """Return the id of rows kept beside those of a parameter, for instance of its texts."""
    return id ^ stable_id(f":{what}")
