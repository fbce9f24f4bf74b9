"""Compression of answers."""

import gzip

import pytest
import zstandard

from ehr.rest.encodings import compress

BODY = b"0123456789" * 500


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", None),
        ("identity", None),
        ("br", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP, deflate, br", "gzip"),
        ("gzip, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("zstd;q=0, gzip;q=0.1", "gzip"),
        ("gzip;q=rubbish", "gzip"),
    ],
)
def test_choice(accepted: str, coding: str | None) -> None:
    body, found = compress(BODY, accepted)

    assert found == coding
    unpack = {"gzip": gzip.decompress, "zstd": zstandard.decompress, None: bytes}[coding]
    assert unpack(body) == BODY


def test_small_bodies_stay_as_they_are() -> None:
    assert compress(b"small", "gzip") == (b"small", None)
