"""Reads of one resource: read, HEAD, vread, entries of batch and transaction, raw Binaries."""

from typing import Any

from tests.policy.leaks.disclosing import all_names, body_of
from tests.policy.leaks.running import WITH_PARTS, Asker, Run
from tests.policy.leaks.seeing import name_of
from tests.policy.naive import Row


def read(run: Run) -> None:
    """GET by id; what is hidden is answered as what is not there, to the letter."""
    for _ in range(run.turns * 3):
        asker = run.asker()
        row = run.row_for(asker)
        response = asker.client.get(row.name)
        is_shown = asker.sight.sees(row, "r")
        is_seen = name_of(row) in all_names(body_of(response))
        run.tally.row("read", asker.name, row.name, is_seen=is_seen, is_shown=is_shown)
        if not is_shown and not was_known(asker, row):
            _as_unknown(run, asker, row, response)


def was_known(asker: Asker, row: Row) -> bool:
    """Tell whether it was deleted, and the caller may know so."""
    return row.is_deleted and asker.sight.sees_version(row, len(row.versions), "r")


def _as_unknown(run: Run, asker: Asker, row: Row, response: Any) -> None:
    id = run.another_id()
    unknown = asker.client.get(f"{row.type}/{id}")
    same = _told(response, row.name.partition("/")[2]) == _told(unknown, id)
    told = f"({response.status_code} for {unknown.status_code})"
    run.tally.same("read of nothing", asker.name, row.name, is_same=same, told=told)


def _told(response: Any, id: str) -> tuple[int, str, tuple[str, ...]]:
    text = response.get_data(as_text=True).replace(id, "*")
    return response.status_code, text, tuple(sorted(name for name, _ in response.headers))


def head(run: Run) -> None:
    """HEAD by id: the status alone tells."""
    for _ in range(run.turns):
        asker = run.asker()
        row = run.row_for(asker)
        is_seen = asker.client.request("HEAD", row.name).status_code == 200
        is_shown = asker.sight.sees(row, "r")
        run.tally.row("HEAD", asker.name, row.name, is_seen=is_seen, is_shown=is_shown)


def vread(run: Run) -> None:
    """GET of a version, also of what is deleted now."""
    aged = [row for row in run.rows if len(row.versions) > 1]
    for turn in range(run.turns):
        asker = run.asker()
        row = run.one(aged) if turn % 2 else run.row_for(asker)
        number = run.rng.randint(1, len(row.versions))
        if row.versions[number - 1].document is None:
            continue
        address = f"{row.name}/_history/{number}"
        is_seen = name_of(row) in all_names(body_of(asker.client.get(address)))
        is_shown = asker.sight.sees_version(row, number, "r")
        run.tally.row("vread", asker.name, address, is_seen=is_seen, is_shown=is_shown)


def entries(run: Run) -> None:
    """GETs in a batch, each by itself."""
    for _ in range(max(run.turns // 2, 2)):
        asker = run.asker()
        rows = [run.row_for(asker) for _ in range(20)]
        gets = [{"request": {"method": "GET", "url": row.name}} for row in rows]
        answer = asker.client.post("", {"resourceType": "Bundle", "type": "batch", "entry": gets})
        for row, entry in zip(rows, body_of(answer).get("entry", [{}] * 20), strict=True):
            is_seen = name_of(row) in all_names(entry.get("resource"))
            is_shown = asker.sight.sees(row, "r")
            run.tally.row("batch", asker.name, row.name, is_seen=is_seen, is_shown=is_shown)


def together(run: Run) -> None:
    """A transaction of GETs: one that is hidden fails them all, as one that is not there would."""
    for _ in range(run.turns // 2):
        asker = run.asker()
        row = run.row_for(asker)
        gets = [{"request": {"method": "GET", "url": row.name}}]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": gets}
        is_seen = name_of(row) in all_names(body_of(asker.client.post("", bundle)))
        is_shown = asker.sight.sees(row, "r")
        run.tally.row("transaction", asker.name, row.name, is_seen=is_seen, is_shown=is_shown)


def binary(run: Run) -> None:
    """The content of a Binary, whole and in part, as it is."""
    for turn in range(run.turns // 2):
        asker = run.asker()
        row = run.row_for(asker, "Binary")
        headers = {"Accept": "text/plain"} | ({"Range": "bytes=0-2"} if turn % 2 else {})
        response = asker.client.request("GET", row.name, headers=headers)
        is_seen = response.status_code in (200, 206)
        is_shown = asker.sight.sees(row, "r")
        run.tally.row("Binary", asker.name, row.name, is_seen=is_seen, is_shown=is_shown)


def parts(run: Run) -> None:
    """What is shown of a row of which the role or the relationship sees parts only.

    A search that asks for the other elements by name gets none of them.
    """
    for _ in range(run.turns):
        asker = run.asker()
        row = run.row_for(asker, *WITH_PARTS)
        shown = asker.sight.shown(row, "r")
        if shown is None:
            continue
        body = body_of(asker.client.get(row.name))
        found = frozenset(body) - {"meta", "text"}
        run.tally.answer(
            "parts", asker.name, row.name,
            found=found, expected=frozenset(shown) - {"meta"}, whole=frozenset(row.document),
        )  # fmt: skip
        hidden = frozenset(row.document) - frozenset(shown) - {"meta"}
        if hidden:
            named = f"{row.type}?_id={row.document['id']}&_elements={','.join(sorted(hidden))}"
            entries = body_of(asker.client.get(named)).get("entry", ())
            told = {name for entry in entries for name in entry["resource"]} & hidden
            run.tally.answer(
                "_elements", asker.name, named, found=told, expected=frozenset(), whole=hidden
            )
