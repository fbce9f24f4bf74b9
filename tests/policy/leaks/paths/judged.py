"""Writes judged: what may be written comes as far as its commit, and nothing else does.

The record has more rules than the naive evaluator judges by, of elements, moves, references and
form. So it may refuse what is permitted, for one of these reasons; never for want of a right.
"""

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
