"""Histories of a resource, of a type and of everything; deletions are versions too."""

from tests.policy.leaks.disclosing import body_of, version_names
from tests.policy.leaks.paths.pages import pages
from tests.policy.leaks.running import Asker, Run
from tests.policy.leaks.seeing import name_of
from tests.policy.naive import Row
from tests.policy.naive.reading import codes

_MOST = 400  # pages


def of_one(run: Run) -> None:
    """`Type/id/_history`: needs the row by `r` and each version by `h`."""
    for _ in range(run.turns):
        asker = run.asker()
        row = run.row_for(asker)
        every = {(*name_of(row), number) for number in range(1, len(row.versions) + 1)}
        shown = {one for one in every if asker.sight.sees_version(row, one[2], "rh")}
        found = _found(asker, f"{row.name}/_history")
        run.tally.answer(
            "history of one", asker.name, row.name, found=found, expected=shown, whole=every
        )


def of_one_relabelled(run: Run) -> None:
    """The same of rows whose labels changed, asked by those who see the row and not all of it.

    Chance seldom meets them. Where there are none nothing is compared.
    """
    rows = [row for row in run.rows if not row.is_deleted and _is_relabelled(row)]
    pairs = [(asker, row) for row in rows for asker in run.askers if asker.sight.sees(row, "r")]
    run.rng.shuffle(pairs)
    for asker, row in pairs:
        every = {(*name_of(row), number) for number in range(1, len(row.versions) + 1)}
        shown = {one for one in every if asker.sight.sees_version(row, one[2], "rh")}
        if shown and shown != every:
            found = _found(asker, f"{row.name}/_history")
            run.tally.answer(
                "history relabelled", asker.name, row.name, found=found, expected=shown, whole=every
            )


def _is_relabelled(row: Row) -> bool:
    """Tell whether versions differ in their labels."""
    documents = [one.document for one in row.versions if one.document is not None]
    return len({frozenset(codes(one.get("meta", {}), "security")) for one in documents}) > 1


def of_types(run: Run) -> None:
    """`Type/_history` and `_history`, with their totals."""
    types = sorted({row.type for row in run.rows})
    for turn in range(max(run.turns // 10, 2)):
        asker = run.asker()
        type = None if turn % 4 == 0 else run.one(types)
        address = f"{type}/_history" if type else "_history"
        expected = asker.sight.versions("sh", type)
        found = _found(asker, address)
        path = "history of a type" if type else "history of all"
        run.tally.answer(path, asker.name, address, found=found, expected=expected, whole=None)
        counted = body_of(asker.client.get(f"{address}?_summary=count")).get("total", 0)
        run.tally.answer(
            "history counted", asker.name, address,
            found={counted}, expected={len(expected)}, whole=None,
        )  # fmt: skip


def _found(asker: Asker, address: str) -> set[object]:
    found: set[object] = set()
    for bundle in pages(asker.client, f"{address}?_count=200", most=_MOST):
        found.update(version_names(bundle))
    return found
