"""Compress an answer as Accept-Encoding allows: zstd, then gzip, when it is worth the work."""

import re
import zlib

import zstandard

_WORTH_IT = 1_024
_ZSTD_LEVEL = 3
_GZIP_LEVEL = 5
_CODINGS = ("zstd", "gzip")


def compress(body: bytes, accept_encoding: str) -> tuple[bytes, str | None]:
    """Return the body and the coding it now has, None when it stays as it is."""
    if len(body) < _WORTH_IT or not accept_encoding:
        return body, None
    coding = _choose(accept_encoding)
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body), coding
    if coding == "gzip":
        packer = zlib.compressobj(_GZIP_LEVEL, wbits=31)
        return packer.compress(body) + packer.flush(), coding
    return body, None


def _choose(accept_encoding: str) -> str | None:
    wanted = {}
    for part in accept_encoding[:1_000].lower().split(","):
        name, _, rest = part.partition(";")
        quality = re.fullmatch(r"\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*", rest)
        wanted[name.strip()] = float(quality[1]) if quality else 1.0
    if "x-gzip" in wanted:
        wanted.setdefault("gzip", wanted["x-gzip"])
    best = max(_CODINGS, key=lambda coding: wanted.get(coding, 0.0))
    return best if wanted.get(best, 0.0) > 0 else None
