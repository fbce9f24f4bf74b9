"""Zstandard streams: all of it, in one frame or several, or an error."""

import io

import pytest
import zstandard

from ehr.bulk.loading.zstd_stream import ZstdStream

TEXT = b"".join(b'{"resourceType":"Patient","id":"%d"}\n' % n for n in range(20_000))


def read(packed: bytes) -> bytes:
    return io.BufferedReader(ZstdStream(io.BytesIO(packed))).read()


def packed(text: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(text)


def test_a_stream_gives_what_was_packed() -> None:
    assert read(packed(TEXT)) == TEXT
    assert read(packed(b"")) == b""
    assert read(b"") == b""


def test_frames_follow_each_other() -> None:
    assert read(packed(TEXT) + packed(b"between") + packed(TEXT)) == TEXT + b"between" + TEXT


@pytest.mark.parametrize("left", [3, 100, -1])
def test_a_stream_that_is_cut_off_is_an_error(left: int) -> None:
    with pytest.raises(EOFError, match="before the end"):
        read(packed(TEXT)[:left])


def test_what_is_no_zstandard_is_an_error() -> None:
    with pytest.raises(zstandard.ZstdError):
        read(b"nonsense, and more of it")
