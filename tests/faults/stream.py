"""A stream of writes over HTTP by several clients, and a note of all that was acknowledged.

Each write is of one kind in turn: update, create, transaction, conditional create, large Binary,
delete. What was sent is kept by the address and version that the answer named, to be compared byte
by byte with what a restarted server gives.
"""

import contextlib
import http.client
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests import given
from tests.faults.serving import Answer, Caller, Server

CLIENTS = 6
MEMBERS = 6  # of each transaction
SYSTEM = "https://example.org/faults"
BINARY = 150_000  # bytes: too many to stand in the body
Version = tuple[str, str, int]  # type, id, number


@dataclass(slots=True)
class Written:
    """What clients sent and were told: `deleted` and `transactions` tell of attempts as well."""

    versions: dict[Version, bytes] = field(default_factory=dict)
    contents: dict[Version, bytes] = field(default_factory=dict)
    deleted: set[Version] = field(default_factory=set)
    # name -> whether it was acknowledged
    transactions: dict[str, bool] = field(default_factory=dict)
    conditional: set[str] = field(default_factory=set)
    faults: list[bytes] = field(default_factory=list)
    interrupted: int = 0


def write_until(server: Server, name: str, written: Written, work: Callable[[], None]) -> None:
    """Let the clients write while `work` runs; it ends with the server killed, or they would not.

    Clients that lose their connection connect again, as those of a restarted worker have to.
    """
    over = threading.Event()
    clients = [
        threading.Thread(target=_client, args=(server, f"{name}c{n}", written, over))
        for n in range(CLIENTS)
    ]
    before = len(written.versions)
    for client in clients:
        client.start()
    try:
        while len(written.versions) < before + CLIENTS and not written.faults:
            over.wait(0.01)
        work()
    finally:
        over.set()
        for client in clients:
            client.join(300)


def _client(server: Server, name: str, written: Written, over: threading.Event) -> None:
    caller = server.caller()
    _step(written, lambda: _patient(caller, name, written))
    for number, kind in enumerate(_kinds()):
        if over.is_set():
            break
        _step(written, lambda kind=kind, number=number: kind(caller, f"{name}-{number}", written))
    caller.close()


def _kinds() -> Iterator[Callable[[Caller, str, Written], None]]:
    while True:
        yield from (_update, _create, _transaction, _update, _once, _update, _binary, _delete)


def _step(written: Written, call: Callable[[], None]) -> None:
    try:
        call()
    except (OSError, http.client.HTTPException):
        written.interrupted += 1
        threading.Event().wait(0.02)


def _send(
    written: Written, caller: Caller, method: str, path: str, body: Any, **more: str
) -> Answer:
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    answer = caller.ask(method, path, body, headers)
    # 503 tells of a database that went away, and to send it again.
    if answer.status >= 500 and answer.status != 503:
        written.faults.append(answer.body)
    return answer


def _patient(caller: Caller, name: str, written: Written) -> None:
    """Put the patient that the others of this client are filed under."""
    body = json.dumps(given.patient(id=name)).encode()
    answer = _send(written, caller, "PUT", f"Patient/{name}", body)
    if answer.ok:
        written.versions["Patient", name, answer.version] = body


def _update(caller: Caller, name: str, written: Written) -> None:
    """Put the next version of one resource."""
    who = name.partition("-")[0]
    id = f"{who}-updated"
    body = json.dumps(given.observation(f"Patient/{who}", note=[{"text": name}]) | {"id": id})
    body = body.replace('"value": 72', '"value": 72.50')
    answer = _send(written, caller, "PUT", f"Observation/{id}", body.encode())
    if answer.ok:
        written.versions["Observation", id, answer.version] = body.encode()


def _create(caller: Caller, name: str, written: Written) -> None:
    body = json.dumps(given.condition(f"Patient/{name.partition('-')[0]}")).encode()
    answer = _send(written, caller, "POST", "Condition", body)
    if answer.ok:
        written.versions["Condition", answer.json["id"], answer.version] = body


def _transaction(caller: Caller, name: str, written: Written) -> None:
    """Send a patient and five observations: half of it would be seen."""
    bodies = [given.patient(id=name)]
    bodies += [
        given.observation(f"Patient/{name}", value=n) | {"id": f"{name}-{n}"}
        for n in range(1, MEMBERS)
    ]
    bundle = given.transaction(*(given.entry(one, method="PUT") for one in bodies))
    written.transactions[name] = False
    answer = _send(written, caller, "POST", "", bundle)
    if answer.ok:
        written.transactions[name] = True
        for one in bodies:
            sent = json.dumps(one).encode()
            written.versions[one["resourceType"], one["id"], 1] = sent


def _once(caller: Caller, name: str, written: Written) -> None:
    """Create under a condition; who loses the answer sends it again."""
    value = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    body = json.dumps(given.patient(identifier=[{"system": SYSTEM, "value": value}])).encode()
    condition = f"identifier={SYSTEM}|{value}"
    for _ in range(2):
        answer = _send(written, caller, "POST", "Patient", body, If_None_Exist=condition)
        if answer.ok:
            written.conditional.add(value)
            written.versions["Patient", answer.json["id"], answer.version] = body


def _binary(caller: Caller, name: str, written: Written) -> None:
    content = (name.encode() * (BINARY // len(name) + 1))[:BINARY]
    kind = "application/octet-stream"
    answer = _send(written, caller, "PUT", f"Binary/{name}", content, Content_Type=kind)
    if answer.ok:
        written.contents["Binary", name, answer.version] = content


def _delete(caller: Caller, name: str, written: Written) -> None:
    who = name.partition("-")[0]
    body = json.dumps(given.goal(f"Patient/{who}") | {"id": f"{name}-gone"}).encode()
    answer = _send(written, caller, "PUT", f"Goal/{name}-gone", body)
    if not answer.ok:
        return
    written.versions["Goal", f"{name}-gone", 1] = body
    with contextlib.suppress(KeyError):
        answer = _send(written, caller, "DELETE", f"Goal/{name}-gone", None)
        if answer.ok:
            written.deleted.add(("Goal", f"{name}-gone", 2))
