"""Which rows came back, in few bytes: "what did they see" is asked of every search.

A list of (patient_key, rid, version), each as three integers of variable length: keys and rids by
their distance from the one before, folded so that small negatives are short. About 4 bytes a row.
"""

from collections.abc import Iterable, Iterator

from ehr.messages import Item

MOST = 2_000  # of one row; `found` tells how many there were


def pack(items: Iterable[Item], patient_key: int = 0) -> bytes:
    """Return items as bytes; `patient_key` is that of the row they belong to."""
    out = bytearray()
    key, rid = patient_key, 0
    for number, item in enumerate(items):
        if number == MOST:
            break
        put(out, folded(item[0] - key))
        put(out, folded(item[1] - rid))
        put(out, item[2])
        key, rid = item[0], item[1]
    return bytes(out)


def unpack(data: bytes, patient_key: int = 0) -> tuple[Item, ...]:
    """Return the items of such bytes. Raises ValueError where they are cut off."""
    numbers = get_all(data)
    found: list[Item] = []
    key, rid = patient_key, 0
    for step, along, version in zip(numbers, numbers, numbers, strict=True):
        key, rid = key + unfolded(step), rid + unfolded(along)
        found.append((key, rid, version))
    return tuple(found)


def put(out: bytearray, number: int) -> None:
    """Add a number ≥ 0, seven bits a byte, the lowest first."""
    if number < 0:
        raise ValueError("negative numbers are folded first")
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def get_all(data: bytes) -> Iterator[int]:
    """Yield the numbers that `put` made. Raises ValueError where the last one is cut off."""
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("a number is cut off")


def folded(number: int) -> int:
    """Return a number ≥ 0 that is small where this one is near 0."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def unfolded(number: int) -> int:
    """Return what was folded."""
    return -((number + 1) >> 1) if number & 1 else number >> 1
