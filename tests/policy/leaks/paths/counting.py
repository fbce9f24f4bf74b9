"""What totals, words and page links tell of rows that are not answered."""

import re
from typing import Any

from tests.policy.leaks.disclosing import all_names, body_of
from tests.policy.leaks.paths.pages import ask, next_of
from tests.policy.leaks.running import Run
from tests.policy.leaks.seeing import name_of
from tests.spec.oracle.made_queries import query

_WORDS = ("frail", "agenda", "normal", "chest", "shop", "hoist", "murray", "summary", "mary", "ann")
_WORD = re.compile(r"\w+")
# Of what resources say, these elements are codes and addresses rather than text (R4 §3.1.1.4.11).
_NO_TEXT = ("resourceType", "id", "reference", "system", "url", "meta", "code", "status")


def counts(run: Run) -> None:
    """`_summary=count` and `_total`: as many as are answered."""
    for turn in range(run.turns // 2):
        asked = query(run.rng, run.oracle).request
        asked = "&".join(one for one in asked.split("&") if "include" not in one)
        asker = run.asker()
        shape = run.one(("_summary=count", "_total=accurate&_count=1", "_count=0"))
        status, whole = ask(run.everything, f"{asked}&_summary=count")
        if status != 200:
            run.tally.leave_out("count")
            continue
        status, body = ask(asker.client, f"{asked}&{shape}", ("GET", "POST")[turn % 2])
        expected = len(asker.sight.oracle.search(asked).matches)
        if status == 200:
            run.tally.answer(
                "count", asker.name, f"{asked}&{shape}",
                found={body.get("total", 0)}, expected={expected}, whole={whole.get("total")},
            )  # fmt: skip
        elif status == 403:
            run.tally.withhold("count")
        else:
            run.tally.leave_out("count")


def texts(run: Run) -> None:
    """`_content` finds words in what is seen, and `_text` none: nothing here has a narrative.

    Words are kept of the whole row, not by element. So nobody finds by them a row that is seen in
    part, not even by what is shown of it: that a word is found would tell of the rest.
    """
    for turn in range(run.turns // 4):
        asker = run.asker()
        type = run.one(("Patient", "Goal", "ClinicalImpression", "DiagnosticReport", "List",
                        "ImagingStudy", "Device", "Composition", "Practitioner"))  # fmt: skip
        word = run.one(_WORDS)
        name = "_text" if turn % 8 == 0 else "_content"
        response = asker.client.get(f"{type}?{name}={word}&_count=200")
        rows = [row for row in run.rows if row.type == type and not row.is_deleted]
        shown = [(row, asker.sight.shown(row)) for row in rows]
        expected = {
            name_of(row)
            for row, seen in shown
            if name == "_content" and seen == row.document and _has(seen, word)
        }
        whole = {name_of(row) for row in rows if name == "_content" and _has(row.document, word)}
        run.tally.answer(
            name, asker.name, f"{type} {word}",
            found=all_names(body_of(response)), expected=expected, whole=whole,
        )  # fmt: skip


def _has(value: Any, word: str) -> bool:
    if isinstance(value, dict):
        return any(_has(one, word) for name, one in value.items() if name not in _NO_TEXT)
    if isinstance(value, list):
        return any(_has(one, word) for one in value)
    return isinstance(value, str) and word in _WORD.findall(value.lower())


def links(run: Run) -> None:
    """The next page of another caller's search is nobody else's."""
    for _ in range(run.turns // 4 if len(run.askers) > 1 else 0):
        asker, other = run.rng.sample(run.askers, 2)
        type = run.one(("Practitioner", "Observation", "CarePlan", "Communication", "Condition"))
        status, body = ask(asker.client, f"{type}?_count=1")
        link = next_of(body) if status == 200 else None
        if link is None:
            continue
        response = other.client.get(link)
        is_same = response.status_code in (400, 403, 404, 410) and not all_names(body_of(response))
        told = f"({response.status_code})"
        run.tally.same(
            "page link", f"{other.name} by {asker.name}", link, is_same=is_same, told=told
        )
