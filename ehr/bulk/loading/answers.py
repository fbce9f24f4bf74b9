"""A response Bundle read: how many entries are in, and what was refused."""

from typing import Any

import msgspec

from ehr.bulk.loading.results import Outcome, Reject, name_of
from ehr.bulk.loading.units import Piece


class _Issue(msgspec.Struct):
    code: str = "processing"
    diagnostics: str = ""
    expression: list[str] = []


class _OperationOutcome(msgspec.Struct):
    issue: list[_Issue] = []


class _Response(msgspec.Struct):
    status: str
    outcome: _OperationOutcome | None = None


class AnsweredEntry(msgspec.Struct):
    """What became of one entry."""

    response: _Response


class _Answer(msgspec.Struct):
    entry: list[AnsweredEntry] = []


_ANSWER = msgspec.json.Decoder(_Answer)


def entries_of_answer(body: bytes) -> list[AnsweredEntry]:
    """Return the entries of a response Bundle."""
    return _ANSWER.decode(body).entry


def count_answer(
    piece: Piece, part: str, resource: Any, answered: AnsweredEntry, outcome: Outcome
) -> None:
    """Count what became of an entry; one that was refused becomes a reject."""
    status = int(answered.response.status[:3])
    if status < 400:
        outcome.count(status)
        outcome.parts.add(part)
        return
    told = answered.response.outcome
    first = told.issue[0] if told and told.issue else _Issue("processing", f"Status {status}.")
    where = first.expression[0] if first.expression else ""
    outcome.rejects.append(
        Reject(piece, name_of(resource), status, first.code, where, first.diagnostics, part)
    )
