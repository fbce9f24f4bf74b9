"""What a transaction keeps of who wrote: the rows, and the facts of versions read back."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select

from ehr.store.drafts import Author, Facts, Written
from ehr.store.pairs import in_keys
from ehr.store.tables import provenance_fact

WHOLE = 0  # stands for all that a transaction wrote

Row = tuple[Any, ...]


def facts_rows(txn_id: int, writes: Sequence[tuple[Author, Written]]) -> list[Row]:
    """Return the rows of a transaction; `writes` are authors with what they wrote."""
    known = [
        (facts, author.id, one.rid)
        for author, one in writes
        if (facts := _facts(author, one.patient_key)) is not None
    ]
    if len({(facts, id) for facts, id, _ in known}) == 1 and len(known) == len(writes):
        return [_row(txn_id, WHOLE, known[0][0])]
    return [_row(txn_id, rid, facts) for facts, _, rid in known]


def facts_of(
    connection: Connection, versions: Collection[tuple[int, int]]
) -> dict[tuple[int, int], Facts]:
    """Return the facts of versions, given as (txn_id, rid); those without any are left out."""
    c = provenance_fact.c
    listed = in_keys(connection, c.txn_id, sorted({txn for txn, _ in versions}))
    found = {
        (row.txn_id, row.rid): Facts(*row[2:])
        for row in connection.execute(select(provenance_fact).where(listed))
    }
    told = {one: found.get(one) or found.get((one[0], WHOLE)) for one in versions}
    return {one: facts for one, facts in told.items() if facts is not None}


def _facts(author: Author, patient_key: int) -> Facts | None:
    return author.urgent if patient_key in author.opened else author.facts


def _row(txn_id: int, rid: int, facts: Facts) -> Row:
    return (
        txn_id, rid, facts.kind, facts.person, facts.role, facts.client, facts.purpose,
        facts.patient,
    )  # fmt: skip
