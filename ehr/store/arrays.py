"""Columns as PostgreSQL arrays in binary, encoded whole instead of value by value.

An element is its length (32 bit, big endian) and its bytes; -1 stands for NULL. Fixed-width numbers
are interleaved with their length by slices of machine words, so that a column of thousands costs a
few microseconds. Used by `insert.py` only.
"""

import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

# Object ids of element types, fixed in every PostgreSQL.
_INT8, _FLOAT8, _TEXT, _BYTEA, _BOOL = 20, 701, 25, 17, 16
_SWAP = sys.byteorder == "little"
_HEAD = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i")
_ONE = {code: struct.Struct(f">iiIiii{code}") for code in "qd"}
_NULL = _LENGTH.pack(-1)
_EIGHT = array("I", _LENGTH.pack(8))


class _Encoded:
    """An array ready to be sent."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class _Int8Array(_Encoded): ...


class _Float8Array(_Encoded): ...


class _TextArray(_Encoded): ...


class _ByteaArray(_Encoded): ...


class _BoolArray(_Encoded): ...


def encode(kind: str, values: Sequence[Any]) -> _Encoded:
    """Return a column as an array of `integer`, `float`, `text`, `bytes` or `boolean`."""
    return _ENCODERS[kind](values)


def register(connection: Connection[Any]) -> None:
    """Teach a connection to send encoded arrays."""
    for kind, oid in _ARRAY_OIDS.items():
        dumper = type("EncodedDumper", (_EncodedDumper,), {"oid": oid})
        connection.adapters.register_dumper(kind, dumper)


class _EncodedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: _Encoded) -> Buffer | None:
        return obj.data


def _integers(values: Sequence[int | None]) -> _Int8Array:
    return _Int8Array(_numbers("q", _INT8, values))


def _floats(values: Sequence[float | None]) -> _Float8Array:
    return _Float8Array(_numbers("d", _FLOAT8, values))


def _numbers(code: str, oid: int, values: Sequence[Any]) -> bytes:
    if len(values) == 1 and values[0] is not None:  # a single write has arrays of one
        return _ONE[code].pack(1, 0, oid, 1, 1, 8, values[0])
    if None in values:
        one = struct.Struct(f">i{code}")
        parts = [_NULL if value is None else one.pack(8, value) for value in values]
        return _head(oid, len(values), nulls=True) + b"".join(parts)
    numbers = array(code, values)
    if _SWAP:
        numbers.byteswap()
    words = array("I", numbers.tobytes())
    out = array("I", bytes(12 * len(values)))
    out[0::3] = _EIGHT * len(values)
    out[1::3] = words[0::2]
    out[2::3] = words[1::2]
    return _head(oid, len(values)) + out.tobytes()


def _texts(values: Sequence[str | None]) -> _TextArray:
    encoded = [None if value is None else value.encode() for value in values]
    return _TextArray(_pieces(_TEXT, encoded))


def _bytes(values: Sequence[bytes | None]) -> _ByteaArray:
    return _ByteaArray(_pieces(_BYTEA, values))


def _pieces(oid: int, values: Sequence[bytes | None]) -> bytes:
    parts: list[bytes] = [_head(oid, len(values), nulls=None in values)]
    pack = _LENGTH.pack
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts.append(pack(len(value)))
            parts.append(value)
    return b"".join(parts)


def _booleans(values: Sequence[bool]) -> _BoolArray:
    pieces = {True: b"\0\0\0\1\1", False: b"\0\0\0\1\0"}
    return _BoolArray(_head(_BOOL, len(values)) + b"".join([pieces[value] for value in values]))


def _head(oid: int, count: int, *, nulls: bool = False) -> bytes:
    return _HEAD.pack(1, nulls, oid, count, 1)


_ENCODERS: dict[str, Callable[[Sequence[Any]], _Encoded]] = {
    "integer": _integers,
    "float": _floats,
    "text": _texts,
    "bytes": _bytes,
    "boolean": _booleans,
}
_ARRAY_OIDS: dict[type[_Encoded], int] = {
    _Int8Array: 1016,
    _Float8Array: 1022,
    _TextArray: 1009,
    _ByteaArray: 1001,
    _BoolArray: 1000,
}
