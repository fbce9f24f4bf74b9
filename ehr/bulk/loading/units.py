"""Documents cut into units of work: a Bundle, or a slice of resources that are loaded together."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ehr.bulk.loading.sources import Source

SLICE_COUNT = 1000
SLICE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """One document as it lies in a file. `line` is 0 where the file holds one document only."""

    source: str
    line: int
    raw: bytes
    is_xml: bool = False


@dataclass(frozen=True)
class Unit:
    """Pieces that are loaded together; `size` is what they take in their source.

    `done` names the parts that an earlier, stopped load has taken in: the number of a piece, or
    `piece/entry`.
    """

    pieces: tuple[Piece, ...]
    size: int
    is_retry: bool = False
    done: frozenset[str] = frozenset()

    @cached_property
    def key(self) -> str:
        """Return what the state file knows the unit by: names, lines and content."""
        digest = hashlib.blake2b(digest_size=16)
        for piece in self.pieces:
            digest.update(f"{piece.source}\0{piece.line}\0{len(piece.raw)}\0".encode())
            digest.update(piece.raw)
        return digest.hexdigest()

    def again(self, settled: Iterable[str]) -> "Unit":
        """Return the unit for a second try, when more of the record is there."""
        return replace(self, size=0, is_retry=True, done=self.done.union(settled))


def units(sources: Iterator[Source] | list[Source]) -> Iterator[Unit]:
    """Yield the units of documents, in order; single small resources share a unit."""
    gathered: list[Piece] = []
    sizes = 0
    for source in sources:
        if ".ndjson" in source.name.lower() or ".jsonl" in source.name.lower():
            yield from _lines(source)
            continue
        with source.open() as stream:
            piece = Piece(source.name, 0, stream.read(), ".xml" in source.name.lower())
        if len(piece.raw) > SLICE_BYTES // 64:  # a Bundle, most likely
            yield Unit((piece,), source.size)
            continue
        gathered.append(piece)
        sizes += source.size
        if len(gathered) >= SLICE_COUNT:
            yield Unit(tuple(gathered), sizes)
            gathered, sizes = [], 0
    if gathered:
        yield Unit(tuple(gathered), sizes)


def _lines(source: Source) -> Iterator[Unit]:
    """Yield slices of an NDJSON file; each counts for its share of the file's size."""
    pieces: list[Piece] = []
    total = 0
    with source.open() as stream:
        for number, line in enumerate(stream, 1):
            raw = line.strip()
            if raw:
                pieces.append(Piece(source.name, number, raw))
                total += len(raw)
            if len(pieces) >= SLICE_COUNT or total >= SLICE_BYTES:
                yield Unit(tuple(pieces), total)
                pieces, total = [], 0
    if pieces:
        yield Unit(tuple(pieces), total)
