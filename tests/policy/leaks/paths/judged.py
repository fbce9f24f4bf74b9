"""Writes judged: what may be written comes as far as its commit, and nothing else does.

The record has more rules than the naive evaluator judges by, of elements, moves, references and
form. So it may refuse what is permitted, for one of these reasons; never for want of a right.
"""

import json
import re
from dataclasses import replace
from typing import Any

from tests.policy.leaks.attempts import Attempt, attempt
from tests.policy.leaks.disclosing import body_of
from tests.policy.leaks.running import Asker, Run
from tests.policy.leaks.stopping import stopped, would_be_committed
from tests.policy.naive import may_write

PATH = "writes judged"
_DONE = {"c": "create", "u": "update", "d": "delete"}
# Form; a move or an entry that is taken; what no reference may lead to, or no content may be.
_OTHER = (400, 409, 422)
_FRESH = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # an id that the server makes


def judged(run: Run) -> None:
    """Rows that callers try to make, change and delete."""
    for _ in range(run.turns):
        asker = run.asker()
        tried = attempt(run, asker)
        if tried is not None:
            _compare(run, asker, tried)


def _compare(run: Run, asker: Asker, tried: Attempt) -> None:
    world = run.served.world
    may = may_write(world.record, asker.sight.caller, tried.before, tried.after, world.now)
    with stopped():
        response = _send(asker, tried)
    came = would_be_committed(response)
    what = f"{_told(tried)} ({_reason(response)})"
    run.tally.write(PATH, asker.name, what, may=may, came=came, otherwise=_is_otherwise(response))
    run.tally.asked_by((f"{_DONE[tried.letter]} judged",))
    owner = _owner(run, tried)
    if not may and not came and owner is not None and _is_hidden(run, asker, owner):
        _as_unknown(run, asker, tried, owner, response)


def _owner(run: Run, tried: Attempt) -> str | None:
    """Return under whom a write files something; nobody for a Patient, which is the person."""
    if tried.after is None or tried.after["resourceType"] == "Patient":
        return None
    return run.served.world.record.owner(tried.after)


def _is_hidden(run: Run, asker: Asker, patient: str) -> bool:
    row = run.served.world.record.row(patient)
    return row is not None and not any(asker.sight.sees(row, letter) for letter in "rs")


def _as_unknown(run: Run, asker: Asker, tried: Attempt, patient: str, response: Any) -> None:
    """To file something under a hidden patient is answered as under one who is not there."""
    unknown = f"Patient/{run.another_id()}"
    sent = json.dumps(tried.after).replace(f'"{patient}"', f'"{unknown}"')
    with stopped():
        other = _send(asker, replace(tried, after=json.loads(sent)))
    texts = [
        _FRESH.sub("*", one.get_data(as_text=True).replace(name, "*"))
        for one, name in ((response, patient), (other, unknown))
    ]
    is_same = response.status_code == other.status_code and texts[0] == texts[1]
    told = f"({_reason(response)} for {_reason(other)})"
    run.tally.same("written for nobody", asker.name, _told(tried), is_same=is_same, told=told)


def _send(asker: Asker, tried: Attempt) -> Any:
    before, after = tried.before, tried.after
    if before is None:
        assert after is not None
        made = {key: value for key, value in after.items() if key != "id"}
        return asker.client.post(after["resourceType"], made)
    version = {"If-Match": f'W/"{len(before.versions)}"'}
    method = "DELETE" if after is None else "PUT"
    return asker.client.request(method, before.name, after, headers=version)


def _is_otherwise(response: Any) -> bool:
    """Tell whether it is refused for another reason than want of a right to the row.

    The rules of elements name the element that they refuse; rights are to a row as a whole.
    """
    if response.status_code != 403:
        return response.status_code in _OTHER
    issues = body_of(response).get("issue", ())
    return any("." in place for one in issues for place in one.get("expression", ()))


def _reason(response: Any) -> str:
    issues = body_of(response).get("issue", ())
    return f"{response.status_code} {'; '.join(one.get('diagnostics', '') for one in issues)}"[:120]


def _told(tried: Attempt) -> str:
    if tried.before is None:
        assert tried.after is not None
        return f"create {tried.after}"[:400]
    if tried.after is None:
        return f"delete {tried.before.name}"
    was, becomes = tried.before.document, tried.after
    names = sorted(n for n in was.keys() | becomes.keys() if was.get(n) != becomes.get(n))
    return f"update {tried.before.name}: { ({name: becomes.get(name) for name in names}) }"[:400]
