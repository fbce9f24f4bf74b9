"""Every way in which the record answers, by name: `PATHS` has what asks it."""

from collections.abc import Callable, Mapping

from tests.policy.leaks.paths import (
    contained,
    counting,
    evidence,
    histories,
    judged,
    operating,
    reading,
    searching,
    writing,
)
from tests.policy.leaks.running import Run

PATHS: Mapping[str, Callable[[Run], None]] = {
    # First: later the trail would have all that the others ask.
    "audit": evidence.audit,
    "provenance": evidence.provenance,
    "read": reading.read,
    "HEAD": reading.head,
    "vread": reading.vread,
    "batch": reading.entries,
    "transaction": reading.together,
    "Binary": reading.binary,
    "parts": reading.parts,
    **searching.SEARCHES,
    "count": counting.counts,
    "text": counting.texts,
    "page link": counting.links,
    "contained": contained.contained,
    "history of one": histories.of_one,
    "history relabelled": histories.of_one_relabelled,
    "history": histories.of_types,
    "$everything": operating.everything,
    "$meta": operating.labels,
    "$validate": operating.validated,
    "writes by id": writing.direct,
    "conditional writes": writing.conditional,
    judged.PATH: judged.judged,
}


def ask_all(run: Run) -> None:
    """Ask by every path, and count as differences what the server failed on."""
    for ask in PATHS.values():
        ask(run)
    for told in run.served.failed:
        run.tally.differs("failed", told)
    run.served.failed.clear()
