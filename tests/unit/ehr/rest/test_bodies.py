"""Bodies: limits, lies about length, compression and bombs."""

import gzip
import io
import time
from typing import Any

import pytest
import zstandard

from ehr.errors import FhirError, Invalid, TooLarge, UnsupportedMediaType
from ehr.rest.bodies import read_body, tells_its_end

BODY = b'{"resourceType":"Patient"}' * 20


def environ(body: bytes, **more: Any) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), **more}


def test_plain() -> None:
    assert read_body(environ(BODY), 1000) == BODY


@pytest.mark.parametrize("length", [None, "", "0"])
def test_none(length: str | None) -> None:
    assert read_body(environ(b"", CONTENT_LENGTH=length), 1000) == b""


def test_chunked_is_read_to_its_end() -> None:
    sent = environ(BODY, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")

    assert read_body({**sent, "wsgi.input_terminated": True}, 1000) == BODY


def test_a_body_without_an_end_is_not_waited_for() -> None:
    assert read_body(environ(BODY, CONTENT_LENGTH=""), 1000) == b""


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"CONTENT_LENGTH": "ten"}, Invalid),
        ({"CONTENT_LENGTH": "-1"}, Invalid),
        ({"CONTENT_LENGTH": "٣"}, Invalid),
        ({"CONTENT_LENGTH": "9" * 5000}, TooLarge),
        ({"CONTENT_LENGTH": "999"}, Invalid),
        ({"CONTENT_LENGTH": "1001"}, TooLarge),
        ({"HTTP_CONTENT_ENCODING": "br"}, UnsupportedMediaType),
        ({"HTTP_CONTENT_ENCODING": "gzip, gzip"}, UnsupportedMediaType),
        ({"HTTP_CONTENT_ENCODING": "gzip"}, Invalid),
        ({"HTTP_CONTENT_ENCODING": "zstd"}, Invalid),
    ],
)
def test_broken(change: dict[str, str], error: type[FhirError]) -> None:
    with pytest.raises(error):
        read_body(environ(BODY, **change), 1000)


def test_chunked_beyond_the_limit_is_refused() -> None:
    sent = environ(BODY, CONTENT_LENGTH="", **{"wsgi.input_terminated": True})

    with pytest.raises(TooLarge):
        read_body(sent, 100)


PACKED = {
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:100]) + gzip.compress(BODY[100:]),
    "zstd": zstandard.compress(BODY),
}


@pytest.mark.parametrize("coding", PACKED)
def test_compressed(coding: str) -> None:
    assert read_body(environ(PACKED[coding], HTTP_CONTENT_ENCODING=coding), 1000) == BODY


def test_zstd_of_several_frames() -> None:
    packed = zstandard.compress(BODY[:100]) + zstandard.compress(BODY[100:])

    assert read_body(environ(packed, HTTP_CONTENT_ENCODING="zstd"), 1000) == BODY


@pytest.mark.parametrize("coding", PACKED)
@pytest.mark.parametrize("cut", [1, 5, 9])
def test_compressed_and_cut_short(coding: str, cut: int) -> None:
    with pytest.raises(Invalid):
        read_body(environ(PACKED[coding][:-cut], HTTP_CONTENT_ENCODING=coding), 1000)


@pytest.mark.parametrize(
    ("coding", "bomb"),
    [
        ("gzip", gzip.compress(bytes(50_000_000))),
        ("zstd", zstandard.compress(bytes(50_000_000))),
        ("zstd", zstandard.compress(bytes(600)) * 5_000),
    ],
    ids=["gzip", "zstd", "zstd frames"],
)
def test_bombs_are_refused(coding: str, bomb: bytes) -> None:
    with pytest.raises(TooLarge):
        read_body(environ(bomb, HTTP_CONTENT_ENCODING=coding), 200_000)


EMPTY = {"gzip": gzip.compress(b""), "zstd": zstandard.compress(b"")}


@pytest.mark.parametrize("coding", EMPTY)
def test_many_parts_cost_no_more_than_their_bytes(coding: str) -> None:
    packed = EMPTY[coding] * 60_000 + PACKED[coding]

    begin = time.process_time()
    assert read_body(environ(packed, HTTP_CONTENT_ENCODING=coding), 2_000_000) == BODY
    assert time.process_time() - begin < 3


@pytest.mark.parametrize("coding", EMPTY)
def test_far_too_many_parts_are_refused(coding: str) -> None:
    packed = EMPTY[coding] * 1_000_000

    begin = time.process_time()
    with pytest.raises(Invalid, match="more than 65536 parts"):
        read_body(environ(packed, HTTP_CONTENT_ENCODING=coding), 64_000_000)
    assert time.process_time() - begin < 3


def test_parts_of_all_sizes_come_whole() -> None:
    parts = [bytes([number % 251]) * (number**3) for number in range(1, 60)]
    for pack in (gzip.compress, zstandard.compress):
        coding = "gzip" if pack is gzip.compress else "zstd"
        packed = b"".join(pack(part) for part in parts)
        body = b"".join(parts)
        assert read_body(environ(packed, HTTP_CONTENT_ENCODING=coding), len(body)) == body


def test_a_giant_zstd_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(BODY) + packer.flush()

    with pytest.raises(Invalid, match="window"):
        read_body(environ(packed, HTTP_CONTENT_ENCODING="zstd"), 1000)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, True),
        ({"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}, False),
        ({"CONTENT_LENGTH": "9", "HTTP_TRANSFER_ENCODING": "chunked"}, False),
        (
            {
                "CONTENT_LENGTH": "",
                "HTTP_TRANSFER_ENCODING": "chunked",
                "HTTP_CONTENT_ENCODING": "gzip",
            },
            True,
        ),
    ],
    ids=["length", "chunked", "chunked whatever the length", "chunked gzip"],
)
def test_whether_a_break_would_be_noticed(more: dict[str, str], told: bool) -> None:
    assert tells_its_end(environ(BODY, **more)) is told
