"""What everything in `auth/` costs a request: the token, the decision, the rows, the proof.

Each request looks its token up, is decided by the policy, and has its scopes compiled to what
visible rows meet. All of it once with what a process keeps, and once with nothing kept. The proof
of a token that is bound to a key (DPoP) stands by itself: its signature is most of it.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from joserfc.jwk import ECKey

from auth import tokens
from auth.jose import dpop
from auth.principal import Principal
from auth.rights import rules
from ehr.access.scope import scope_of
from ehr.app import create_app, surroundings_of
from ehr.messages import Interaction
from ehr.pipeline import authorise
from ehr.record import Record, open_record
from ehr.rest.caller import Callers, Sent
from ehr.settings import load
from tests import token_flow as flow
from tests.bench.measuring import percentile, say
from tests.client import Client

TARGETS = {"kept": 60, "not kept": 250}  # µs
_TOKENS, _TIMES = 500, 4000
_SEARCH = Interaction(name="search-type", type="Observation")
_KEY = ECKey.generate_key("P-256")
_KINDS = {
    "system": "system/*.rs",
    "patient": "openid fhirUser launch/patient patient/*.rs",
    "patient, granular": "patient/Observation.rs?category=vital-signs patient/Patient.rs",
}


@dataclass(frozen=True)
class Bench:
    """A record with tokens in it."""

    record: Record
    held: dict[str, list[str]]

    def callers(self) -> Callers:
        """Return who looks tokens up, and knows none yet."""
        return Callers(self.record, surroundings_of(self.record))


def measure(url: str) -> None:
    """Print the costs on one database."""
    record = open_record(load({"EHR_DATABASE_URL": url}))
    try:
        held = {kind: [_token(record, kind) for _ in range(_TOKENS)] for kind in _KINDS}
        bench = Bench(record, held)
        writer = record.database.write(
            lambda connection: tokens.create(connection, kind="system", name="bench", now=1)
        )
        Client(create_app(record).test_client(), writer).update(
            {"resourceType": "Patient", "id": "mary"}
        )
        floor = times(lambda: _connect(record), _TIMES)[0]
        say(f"everything in auth/, µs a request; a connection alone {floor:.1f}")
        say(f"{'':>28}{'token':>8}{'policy':>8}{'rows':>8}{'all p50':>9}{'p95':>8}{'target':>8}")
        for kind in _KINDS:
            for name in TARGETS:
                _say_costs(bench, kind, name, floor)
        _say_proofs(record)
    finally:
        record.database.close()


def _say_costs(bench: Bench, kind: str, name: str, floor: float) -> None:
    held, record, is_kept = bench.held[kind], bench.record, name == "kept"
    callers, turn = bench.callers(), iter(range(1 << 60))
    parts: list[list[float]] = [[], [], []]
    if is_kept:
        for token in held:
            _judge(record, callers.find(Sent("bearer", token)))
    for _ in range(_TIMES if is_kept else _TIMES // 4):
        if not is_kept:
            callers = bench.callers()
            record.database.scopes.clear()
            record.database.patient_keys.clear()
            rules.cache_clear()
        sent = Sent("bearer", held[next(turn) % len(held)], path="/Observation")
        began = time.perf_counter()
        principal = callers.find(sent)
        found = time.perf_counter()
        assert principal is not None
        authorise(principal, _SEARCH)
        decided = time.perf_counter()
        scope_of(record.database, principal, "s")
        ended = time.perf_counter()
        for part, took in zip(
            parts, (found - began - floor / 1e6, decided - found, ended - decided), strict=True
        ):
            part.append(took)
    whole = [sum(each) for each in zip(*parts, strict=True)]
    shown = [percentile(part, 50) * 1e6 for part in (*parts, whole)]
    say(
        f"{f'{kind}, {name}':>28}{shown[0]:8.1f}{shown[1]:8.1f}{shown[2]:8.1f}{shown[3]:9.1f}"
        f"{percentile(whole, 95) * 1e6:8.1f}{f'≤ {TARGETS[name]}':>8}"
    )


def _judge(record: Record, principal: Principal | None) -> None:
    assert principal is not None
    authorise(principal, _SEARCH)
    scope_of(record.database, principal, "s")


def _say_proofs(record: Record) -> None:
    """Print what the proof of a bound token costs, and the noting that it came."""
    around = surroundings_of(record)
    url, token = f"{around.base}/Patient", "secr_" + "x" * 43
    nonce = dpop.nonce(around)
    made = [
        flow.proof(_KEY, url, method="GET", nonce=nonce, token=token) for _ in range(_TIMES // 10)
    ]
    left, jkt = iter(made), _KEY.thumbprint()
    read = times(
        lambda: dpop.read_proof(around, made[0], method="GET", url=url, token=token), len(made)
    )
    whole = times(
        lambda: dpop.check_proof(
            around, next(left), method="GET", url=url, token=token, bound_to=jkt
        ),
        len(made),
    )
    say(f"DPoP proof (ES256), µs: checked p50 {read[0]:.0f}, p95 {read[1]:.0f}; checked and used "
        f"up p50 {whole[0]:.0f}, p95 {whole[1]:.0f}")  # fmt: skip


def times(work: Callable[[], object], count: int) -> tuple[float, float, float]:
    """Return p50, p95 and p99 of what some work takes, in microseconds."""
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1e6)
    return percentile(taken, 50), percentile(taken, 95), percentile(taken, 99)


def _connect(record: Record) -> None:
    with record.database.read():
        pass


def _token(record: Record, kind: str) -> str:
    is_system = kind == "system"
    launch = {"launch": {"patient": "mary"}, "person": "Patient/mary", "patients": ["mary"]}
    return record.database.write(
        lambda connection: tokens.create(
            connection,
            kind="system" if is_system else "patient",
            name="bench",
            now=record.clock(),
            expires=record.clock() + 3_600_000,
            scope=_KINDS[kind],
            client_id="bench",
            context=None if is_system else json.dumps(launch),
        )
    )
