"""Changes of several callers as one transaction: rows looked up once, one insert for all.

Each change is judged by itself on the rows as they stand, so that one refused (its version is not
the newest, say) leaves the others alone. What goes wrong later takes all of them back; then each is
done by itself (`sessions/gathering.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from ehr.errors import FhirError
from ehr.store.commit import Numbers, commit
from ehr.store.drafts import Current, Write, Written
from ehr.store.locator import Name
from ehr.store.read import currents

Rows = dict[Name, Current]
Outcome = list[list[Written]] | FhirError


@dataclass(frozen=True, slots=True)
class Part:
    """The change of one caller: what it writes, and how it judges the rows that are there."""

    names: tuple[Name, ...]
    is_new: bool  # under a fresh id, so that there is nothing to look up
    judge: Callable[[Rows], list[list[Write]]]
    numbers: Numbers
    mode: str  # EHR_REFERENCES, the same for all
    tell: Callable[[list[list[Written]]], Sequence[Any]]  # what is audited of it
    keep: Callable[[Connection, Sequence[Any]], None]  # audits that here, the same for all


def write_parts(connection: Connection, parts: Sequence[Part]) -> list[Outcome]:
    """Write what each part wants and return what became of each, in the same order."""
    names = [name for part in parts if not part.is_new for name in part.names]
    rows = currents(connection, names) if names else {}
    judged = [_judged(part, rows) for part in parts]
    writes = [write for one in judged if isinstance(one, list) for some in one for write in some]
    written = iter(commit(connection, writes, _all_numbers(parts), parts[0].mode))
    outcomes: list[Outcome] = [
        [[next(written) for _ in some] for some in one] if isinstance(one, list) else one
        for one in judged
    ]
    told = (
        part.tell(one) for part, one in zip(parts, outcomes, strict=True) if isinstance(one, list)
    )
    parts[0].keep(connection, [*chain.from_iterable(told)])
    return outcomes


def _judged(part: Part, rows: Rows) -> list[list[Write]] | FhirError:
    try:
        return part.judge({name: rows[name] for name in part.names if name in rows})
    except FhirError as refusal:
        return refusal


def _all_numbers(parts: Sequence[Part]) -> Numbers:
    """One transaction is one entry of the feed, so the number of the first serves all."""
    numbers = [part.numbers for part in parts]
    return Numbers(
        patient_keys=[*chain.from_iterable(one.patient_keys for one in numbers)],
        rids=[*chain.from_iterable(one.rids for one in numbers)],
        txn_id=numbers[0].txn_id,
    )
