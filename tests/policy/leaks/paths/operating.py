"""Operations that read: `$everything`, `$meta`, `$validate`."""

from typing import Any

from tests.policy.leaks.disclosing import all_names, body_of
from tests.policy.leaks.paths.pages import pages
from tests.policy.leaks.paths.reading import was_known
from tests.policy.leaks.running import Asker, Run
from tests.policy.leaks.seeing import name_of
from tests.policy.naive.reading import codes


def everything(run: Run) -> None:
    """A whole record: all of the patient that is seen, and beside it nothing that is not."""
    for turn in range(run.turns):
        asker = run.asker()
        row = run.row_for(asker, "Patient", *(("Encounter", "CarePlan")[turn % 2 :][:1]))
        asked = f"{row.name}/$everything?_count=100"
        found: set[Any] = set()
        for bundle in pages(asker.client, asked):
            found |= all_names(bundle)
        seen = _seen(asker, run)
        needed: set[Any] = set()
        if row.type == "Patient" and asker.sight.sees(row, "r") and asker.sight.sees(row, "s"):
            needed = {name for name in seen if _patient(run, name) == row.name}
        # What else belongs to it is the operation's matter: it may be there if it is seen.
        run.tally.answer(
            "$everything", asker.name, asked,
            found=found, expected=needed | (found & seen), whole=None,
        )  # fmt: skip


def _seen(asker: Asker, run: Run) -> set[Any]:
    return {
        name_of(row)
        for row in run.rows
        if asker.sight.sees(row, "r") and asker.sight.sees(row, "s")
    }


def _patient(run: Run, name: tuple[str, str]) -> str | None:
    row = run.served.world.record.row("/".join(name))
    return None if row is None else row.patient


def labels(run: Run) -> None:
    """`$meta`: the labels of one row that is seen, or all labels of what is seen."""
    types = sorted({row.type for row in run.rows})
    for turn in range(run.turns // 2):
        asker = run.asker()
        if turn % 2:
            row = run.row_for(asker)
            is_seen = asker.client.get(f"{row.name}/$meta").status_code == 200
            is_shown = asker.sight.sees(row, "r")
            run.tally.row("$meta", asker.name, row.name, is_seen=is_seen, is_shown=is_shown)
            continue
        type = run.one([*types, ""])
        body = body_of(asker.client.get(f"{type}/$meta".lstrip("/")))
        rows = [one for one in run.rows if type in ("", one.type) and not one.is_deleted]
        shown = [asker.sight.shown(one) for one in rows]
        found = {code for one in body.get("parameter", ()) for code in _codes(one["valueMeta"])}
        run.tally.answer(
            "$meta of all", asker.name, type,
            found=found,
            expected={code for one in shown if one for code in _codes(one.get("meta", {}))},
            whole={code for one in rows for code in _codes(one.document.get("meta", {}))},
        )  # fmt: skip


def _codes(meta: Any) -> set[str]:
    return codes(meta, "security", "tag")


def validated(run: Run) -> None:
    """`Type/id/$validate`: what is hidden is not there to be validated.

    Who may know that a row was deleted is told so, as by a read.
    """
    for _ in range(run.turns // 4):
        asker = run.asker()
        row = run.row_for(asker)
        told = [
            asker.client.get(f"{row.type}/{id}/$validate").status_code
            for id in (row.name.partition("/")[2], run.another_id())
        ]
        is_shown = asker.sight.sees(row, "r") or was_known(asker, row)
        is_seen = told[0] != told[1]
        run.tally.row("$validate", asker.name, row.name, is_seen=is_seen, is_shown=is_shown)
