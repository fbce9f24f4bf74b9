"""Keyed 64-bit hashes of index values: the key is the database's, so collisions can't be made."""

from hashlib import blake2b

_CACHE_LIMIT = 200_000


class Hasher:
    """Hash texts to signed 64-bit integers under one key. Equal texts, equal hashes; never 0."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cache: dict[str, int] = {}

    def text(self, value: str) -> int:
        """Return the hash of a text; codes and systems repeat, so results are kept (bounded)."""
        known = self._cache.get(value)
        if known is None:
            known = self.once(value)
            if len(self._cache) < _CACHE_LIMIT:
                self._cache[value] = known
        return known

    def once(self, value: str) -> int:
        """Return the hash of a text that is unlikely to come again (identifiers)."""
        digest = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key)
        return int.from_bytes(digest.digest(), "big", signed=True) or 1
