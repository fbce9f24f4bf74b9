"""The body of what a caller may not see is never touched, so that time does not tell it is there.

A resource that is there but hidden is answered in the time of one that is not. Here that is shown
by what is done, which a clock on a busy machine would not tell: the same statements, and no body
unpacked.
"""

from collections.abc import Callable
from typing import Any

import pytest

from ehr.store.bodies import Compressor
from tests import given
from tests.client import Client
from tests.counting import is_counted
from tests.policy.conftest import CATEGORY, VITAL

App = Callable[..., Client]
BY_ID = (
    "Observation/{id}",
    "Observation/{id}/_history/1",
    "Observation/{id}/$meta",
)
SCOPES = {
    "of her types": ("patient/*.rs", "patient"),
    "of her vital signs": (f"patient/Observation.rs?category={CATEGORY}|{VITAL}", "patient"),
    "of her own": ("user/*.rs", "patient"),
}


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collect the bodies that are unpacked."""
    seen: list[bytes] = []
    unpack = Compressor.decompress

    def observed(self: Compressor, body: bytes, dict_id: int) -> bytes:
        seen.append(body)
        return unpack(self, body, dict_id)

    monkeypatch.setattr(Compressor, "decompress", observed)
    return seen


Work = Callable[[Client, str], tuple[int, list[str], int]]


@pytest.fixture
def work(statements: Callable[[], Any], unpacked: list[bytes]) -> Work:
    """Give what tells of a request: its status, its statements, how many bodies it unpacked."""

    def done(app: Client, path: str) -> tuple[int, list[str], int]:
        app.get(path)  # the statements are known by now, and the caller
        unpacked.clear()
        with statements() as seen:
            status = app.get(path).status_code
        return status, [sql for sql in seen if is_counted(sql)], len(unpacked)

    return done


@pytest.mark.parametrize("scopes", SCOPES)
def test_l04_a_hidden_resource_costs_what_a_missing_one_does(
    people: Client, client_with: App, work: Work, scopes: str
) -> None:
    text, kind = SCOPES[scopes]
    app = client_with(text, kind=kind, patient="mary")

    for path in BY_ID:
        hidden, missing, hers = _thrice(work, app, path)
        assert hidden == missing, path
        assert (hidden[0], hidden[2]) == (404, 0), path
        assert hers[0] == 200, path
        assert hers[2] > 0, path
        assert len(hers[1]) == 1, path


@pytest.mark.parametrize("path", [*BY_ID, "Observation/{id}/_history"])
@pytest.mark.parametrize("scope", ["patient/*.rs", f"patient/*.rs?category={CATEGORY}|{VITAL}"])
def test_l04_nor_does_it_cost_staff_more(
    people: Client, client_with: App, work: Work, path: str, scope: str
) -> None:
    """Who has the role for histories as well, which patients have not."""
    app = client_with(scope, kind="professional", patient="mary")

    hidden, missing, hers = _thrice(work, app, path)

    assert hidden == missing
    assert (hidden[0], hidden[2]) == (404, 0)
    assert hers[0] == 200
    assert hers[2] > 0


def _thrice(work: Work, app: Client, path: str) -> list[tuple[int, list[str], int]]:
    return [work(app, path.format(id=id)) for id in ("john-vital", "nobody", "mary-vital")]


def test_l04_a_binary_of_another_organisation_costs_what_a_missing_one_does(
    client_of: App, unpacked: list[bytes]
) -> None:
    ours, theirs = client_of("north"), client_of("south")
    made = ours.create({"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="})
    unpacked.clear()

    for path in (f"Binary/{made['id']}", f"Binary/{made['id']}/_history/1", "Binary/nobody"):
        assert theirs.get(path).status_code == 404
    assert unpacked == []
    ours.create(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": given.reference(ours.create(given.patient())),
            "content": [{"attachment": {"url": f"Binary/{made['id']}"}}],
        }
    )
    assert theirs.get(f"Binary/{made['id']}").status_code == 200
    assert unpacked != []
