"""Files, folders and archives as one list of documents: what is there, how large, in which order.

Takes .json, .ndjson and .xml, each also as .gz or .zst, inside folders, .tar, .tar.gz, .tgz and
.zip. Nothing is unpacked on disk. The order makes references resolve: what many records share comes
first, then patients, then the rest.
"""

import gzip
import io
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import zstandard

from ehr.bulk.loading.zstd_stream import ZstdStream
from fhir_profiles.owners import SHARED

_DOCUMENT = re.compile(r"\.(json|ndjson|jsonl|xml)(\.(gz|zst))?$", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.(tar|tar\.gz|tgz|tar\.bz2|tar\.xz|zip)$", re.IGNORECASE)
_INFORMATION = re.compile(r"^0-|hospitalInformation|practitionerInformation")
_TYPE = re.compile(rb'"resourceType"\s*:\s*"(\w+)"')
REJECTS = "ehr-load-rejects"  # how the files begin that have what was not loaded
_PEEK = 65_536
_UNREADABLE = (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zstandard.ZstdError)


class UnreadableSource(Exception):
    """A file that can't be opened or is no archive: `str()` says which and why."""


class Phase(IntEnum):
    """When a document is loaded; all of one phase are in before the next begins."""

    SHARED = 0
    PATIENTS = 1
    REST = 2


class Container:
    """A file, or an archive with many; `read` opens one member of it for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def members(self) -> Iterator[tuple[str, int]]:
        """Yield the name and size of each document inside; a plain file has one, itself."""
        yield "", self.path.stat().st_size

    @contextmanager
    def read(self, _member: str) -> Iterator[IO[bytes]]:
        """Open a member, still compressed if it is."""
        with self.path.open("rb") as stream:
            yield stream

    def close(self) -> None:
        """Close what is open of an archive."""


class _Zip(Container):
    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)

    def close(self) -> None:
        if "_archive" in self.__dict__:
            self._archive.close()

    def members(self) -> Iterator[tuple[str, int]]:
        for one in self._archive.infolist():
            if not one.is_dir() and _is_document(one.filename):
                yield one.filename, one.file_size

    @contextmanager
    def read(self, member: str) -> Iterator[IO[bytes]]:
        with self._archive.open(member) as stream:
            yield stream


class _Tar(Container):
    @cached_property
    def _archive(self) -> tarfile.TarFile:
        return tarfile.open(self.path)

    def close(self) -> None:
        if "_archive" in self.__dict__:
            self._archive.close()

    def members(self) -> Iterator[tuple[str, int]]:
        for one in self._archive:
            if one.isfile() and _is_document(one.name):
                yield one.name, one.size

    @contextmanager
    def read(self, member: str) -> Iterator[IO[bytes]]:
        stream = self._archive.extractfile(member)
        assert stream is not None
        with stream:
            yield stream


@dataclass(frozen=True, slots=True)
class Source:
    """One document. `name` is how people find it again; `size` is what it takes where it lies."""

    container: Container
    member: str
    name: str
    size: int
    phase: Phase

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the document for reading, decompressed."""
        with self.container.read(self.member) as stream, _inflated(self.name, stream) as inflated:
            yield inflated


@contextmanager
def open_sources(paths: Sequence[Path]) -> Iterator[list[Source]]:
    """Give every document of these files, folders and archives, in the order to load them.

    Raises UnreadableSource.
    """
    with ExitStack() as stack:
        found: list[Source] = []
        for path in paths:
            for container in _containers(path):
                stack.callback(container.close)
                found += _of(container)
        # A stable sort: inside a phase the order of an archive stays, so it is read front to back.
        yield sorted(found, key=lambda source: source.phase)


def _containers(path: Path) -> Iterable[Container]:
    if path.is_dir():
        inside = sorted(one for one in path.rglob("*") if one.is_file())
        return [_container(one) for one in inside if _is_loadable(one.name)]
    if not path.exists():
        raise UnreadableSource(f"There is no {path}.")
    if path.suffix and not _is_document(path.name) and not _is_archive(path.name):
        raise UnreadableSource(
            f"{path} can't be loaded: its name should end in .json, .ndjson or .xml, or one of "
            "these with .gz or .zst, or be that of an archive, .tar.gz or .zip."
        )
    return [_container(path)]


def _container(path: Path) -> Container:
    if path.name.lower().endswith(".zip"):
        return _Zip(path)
    return _Tar(path) if _is_archive(path.name) else Container(path)


def _of(container: Container) -> Iterator[Source]:
    try:
        for member, size in container.members():
            name = f"{container.path.name}/{member}" if member else str(container.path)
            with container.read(member) as stream, _inflated(name, stream) as inflated:
                start = inflated.read(_PEEK)
            yield Source(container, member, name, size, _phase(name, start))
    except _UNREADABLE as error:
        raise UnreadableSource(f"{container.path} can't be read: {error}") from error


def _inflated(name: str, stream: IO[bytes]) -> IO[bytes]:
    if name.lower().endswith(".gz"):
        unzipped: Any = gzip.GzipFile(fileobj=stream)
        return io.BufferedReader(unzipped)
    if name.lower().endswith(".zst"):
        return io.BufferedReader(ZstdStream(stream))
    return stream


def _is_loadable(name: str) -> bool:
    # What an earlier load of the same folder has refused is in it once already.
    return (_is_document(name) or _is_archive(name)) and not name.startswith(REJECTS)


def _is_document(name: str) -> bool:
    # macOS archives carry a shadow of each file.
    return bool(_DOCUMENT.search(name)) and not Path(name).name.startswith("._")


def _is_archive(name: str) -> bool:
    return bool(_ARCHIVE.search(name))


def _phase(name: str, start: bytes) -> Phase:
    if _INFORMATION.search(name.rpartition("/")[2]):
        return Phase.SHARED
    first = _TYPE.search(start)
    type = first[1].decode() if first else ""
    if type in SHARED:
        return Phase.SHARED
    return Phase.PATIENTS if type == "Patient" else Phase.REST
