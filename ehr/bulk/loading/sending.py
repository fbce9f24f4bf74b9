"""Units through a server by HTTP: as transactions and batches, tried again while that is safe."""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import requests

from ehr.bulk.loading.answers import count_answer, entries_of_answer
from ehr.bulk.loading.documents import bundle_type, document_of
from ehr.bulk.loading.results import Outcome, Reject, name_of, refused
from ehr.bulk.loading.singles import Single, of_batch, of_resources
from ehr.bulk.loading.units import Piece, Unit
from ehr.bulk.loading.workers import Loaded, side_by_side
from ehr.errors import FhirError, NotFound
from ehr.messages import Document
from fhir_profiles import json_format

_TRIES = 6
_LONGEST = 30.0  # seconds between two tries
_TOGETHER = 100  # resources of a batch
_BRACKETS = ")'\""
_NOT_HERE = frozenset({404, 405})
_PASSING = frozenset({429, 502, 503, 504})


class ServerGone(Exception):
    """The server can't be reached, or does not let this caller in: `str()` says which."""


class Sender:
    """Sends units with several connections at a time."""

    def __init__(self, url: str, token: str | None, threads: int) -> None:
        self._url = url.rstrip("/")
        self._threads = threads
        self._session = requests.Session()
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=threads))
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=threads))
        self._session.headers.update(
            {"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}
        )
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="send")

    def __enter__(self) -> "Sender":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._session.close()

    def load(self, units: Iterable[Unit]) -> Iterator[Loaded]:
        """Send units; yield each with what became of it, as they are answered."""
        return side_by_side(lambda unit: self._pool.submit(self._send, unit), units, self._threads)

    def _send(self, unit: Unit) -> Outcome:
        outcome = Outcome()
        singles: list[Single] = []
        for number, piece in enumerate(unit.pieces):
            if str(number) in unit.done:
                continue
            try:
                document = document_of(piece)
                kind = bundle_type(piece, document)
                if kind == "transaction":
                    self._send_transaction(piece, number, document, outcome)
                elif kind == "batch":
                    singles += of_batch(piece, number, document)
                else:
                    singles += of_resources(piece, number, document, outcome)
            except FhirError as error:
                outcome.rejects.append(refused(piece, str(number), None, error))
        singles = [one for one in singles if one.part not in unit.done]
        for first in range(0, len(singles), _TOGETHER):
            self._send_batch(singles[first : first + _TOGETHER], outcome)
        return outcome

    def _send_transaction(
        self, piece: Piece, number: int, document: Document, outcome: Outcome
    ) -> None:
        sent = document.resource.get("entry")
        sent = sent if isinstance(sent, list) else []
        status, body = self._post(document.raw, is_repeatable=_is_repeatable(sent))
        if status >= 400:
            outcome.rejects.append(_whole_reject(piece, str(number), "Bundle", status, body))
            return
        for entry, answered in zip(sent, entries_of_answer(body), strict=True):
            count_answer(piece, str(number), entry.get("resource"), answered, outcome)

    def _send_batch(self, some: Sequence[Single], outcome: Outcome) -> None:
        """Send entries as one batch: each is taken or refused by itself."""
        body = b",".join(one.raw for one in some)
        body = b'{"resourceType":"Bundle","type":"batch","entry":[' + body + b"]}"
        is_repeatable = _is_repeatable([{"request": one.request} for one in some])
        status, answer = self._post(body, is_repeatable=is_repeatable)
        if status >= 400:
            outcome.rejects += [
                _whole_reject(one.piece, one.part, name_of(one.resource), status, answer)
                for one in some
            ]
            return
        for one, answered in zip(some, entries_of_answer(answer), strict=True):
            count_answer(one.piece, one.part, one.resource, answered, outcome)

    def _post(self, body: bytes, *, is_repeatable: bool) -> tuple[int, bytes]:
        """Post a Bundle; try again where nothing was done, or doing it twice does no harm."""
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self._session.post(self._url, data=body, timeout=(10, 300))
            except requests.ConnectTimeout as error:
                problem: Exception = error
            except requests.RequestException as error:
                problem = error
                if not is_repeatable and not _was_refused(error):
                    return 504, b"The connection broke before the answer; it may be in or not."
            else:
                if answer.status_code in (401, 403):
                    raise ServerGone(
                        f"{self._url} answered {answer.status_code}: the token is not accepted."
                    )
                if answer.status_code in _NOT_HERE and not _is_of_fhir(answer):
                    raise ServerGone(
                        f"{self._url} answered {answer.status_code}: no FHIR server has its base "
                        "there."
                    )
                if answer.status_code not in _PASSING or attempt == _TRIES:
                    return answer.status_code, answer.content
                problem = ServerGone(f"status {answer.status_code}")
            time.sleep(min(_LONGEST, 0.2 * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311  jitter
        raise ServerGone(f"{self._url} can't be reached: {_short(problem)}")


def _short(problem: Exception) -> str:
    """Return the last, telling part of a chain of wrapped errors."""
    return str(problem).rpartition(": ")[2].rstrip(_BRACKETS)


def _is_of_fhir(answer: requests.Response) -> bool:
    """Tell a refusal of what was sent from that of a web server which knows no FHIR there."""
    kind = answer.headers.get("Content-Type", "")
    return "json" in kind or "xml" in kind


def _was_refused(error: requests.RequestException) -> bool:
    """Tell whether no connection came about, so that the server can't have done anything."""
    return "Connection refused" in str(error) or "NewConnectionError" in str(error)


def _is_repeatable(entries: Sequence[Any]) -> bool:
    """Tell whether sending entries twice leaves what sending them once does."""
    requested = [one.get("request") if isinstance(one, dict) else None for one in entries]
    return all(
        isinstance(one, dict) and (one.get("method") == "PUT" or one.get("ifNoneExist"))
        for one in requested
    )


def _whole_reject(piece: Piece, part: str, named: str, status: int, body: bytes) -> Reject:
    try:
        first = json_format.reparse(body)["issue"][0]
        where = (first.get("expression") or [""])[0]
        reason = first.get("diagnostics", "")
        return Reject(piece, named, status, first["code"], where, reason, part)
    except Exception:  # an answer of something in between, such as a proxy
        text = body[:200].decode("utf-8", "replace")
        code = NotFound.code if status == 404 else "exception"
        return Reject(piece, named, status, code, "", text, part)
