"""Columns as PostgreSQL arrays in binary, encoded whole instead of value by value.

An element is its length (32 bit, big endian) and its bytes; -1 stands for NULL. Fixed-width numbers
are interleaved with their length by slices of machine words, so that a column of thousands costs a
few microseconds.
"""

import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from psycopg.abc import Buffer

# Object ids of element types, fixed in every PostgreSQL.
_INT8, _FLOAT8, _TEXT, _BYTEA, _BOOL = 20, 701, 25, 17, 16
_SWAP = sys.byteorder == "little"
_HEAD = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i")
_INTEGER = struct.Struct(">q")
_DOUBLE = struct.Struct(">d")
_ONE = {code: struct.Struct(f">iiIiii{code}") for code in "qd"}
_NULL = _LENGTH.pack(-1)
_EIGHT = array("I", _LENGTH.pack(8))


class _Encoded:
    """An array ready to be sent."""

    __slots__ = ("data",)
    oid = 0

    def __init__(self, data: bytes) -> None:
        self.data = data


class _Int8Array(_Encoded):
    oid = 1016


class _Float8Array(_Encoded):
    oid = 1022


class _TextArray(_Encoded):
    oid = 1009


class _ByteaArray(_Encoded):
    oid = 1001


class _BoolArray(_Encoded):
    oid = 1000


def encode(kind: str, values: Sequence[Any]) -> _Encoded:
    """Return a column as an array of `integer`, `float`, `text`, `bytes` or `boolean`."""
    return _ENCODERS[kind](values)


def parameter(value: Any) -> tuple[Buffer | None, int]:
    """Return a value as a statement's parameter in binary, and the object id of its type.

    Integers are all of one type, so that a statement is prepared once whatever their size.
    """
    if isinstance(value, _Encoded):
        return value.data, value.oid
    if isinstance(value, str):
        return value.encode(), _TEXT
    if isinstance(value, int):
        return _INTEGER.pack(value), _INT8
    if isinstance(value, float):
        return _DOUBLE.pack(value), _FLOAT8
    if isinstance(value, list):
        return parameter(
            encode("text" if value and isinstance(value[0], str) else "integer", value)
        )
    if value is None:
        return None, 0
    raise TypeError(f"no parameter: {type(value).__name__}")


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
