"""Tokens of backend services, and what a token costs each request: `python -m tests.bench.tokens`.

Sends ES384 assertions, each once, to `ehr serve` with 1, 4 and 16 clients, and prints tokens/s,
percentiles and CPU per token; the floor is one check of such a signature. Then everything in
`auth/` that each request with a token costs (`token_costs.py`).
"""

import argparse
from contextlib import closing
from urllib.parse import urlencode

from joserfc.jwk import ECKey

from auth.apps import clients
from auth.apps.clients import Client
from auth.jose import jwts
from ehr.settings import DEVELOPMENT_SECRET
from ehr.store.engine import Database
from ehr.store.opening import open_database
from tests import token_flow as flow
from tests.bench import measuring, running, token_costs
from tests.bench.measuring import percentile, say
from tests.bench.running import Ground, Server
from tests.bench.sending import send
from tests.token_flow import App

_HEAD = f"{'clients':>8}{'tokens/s':>10}{'/s core':>9}{'p50 ms':>9}{'p95':>8}{'p99':>8}"
_KEY = ECKey.generate_key("P-384")


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--tokens", type=int, default=1000, help="of each run")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    chosen = parser.parse_args()
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            with ground.fresh_database() as url:
                _measure_tokens(ground, url, chosen)
                token_costs.measure(url)


def _measure_tokens(ground: Ground, url: str, chosen: argparse.Namespace) -> None:
    service = _service(url)
    with running.server(url, chosen.workers, chosen.threads) as server:
        send(server.target, _requests(server, service, 100), 4)
        say(f"{_HEAD}   CPU µs a token, server and database")
        for clients_at_once in chosen.clients:
            requests = _requests(server, service, chosen.tokens)
            with measuring.measured(server.pid, ground.postgres_pid) as spent:
                sent = send(server.target, requests, clients_at_once)
            count = len(sent.latencies)
            p50, p95, p99 = (percentile(sent.latencies, share) * 1000 for share in (50, 95, 99))
            say(
                f"{clients_at_once:8}{count / sent.wall:10.0f}{count / spent.cpu:9.0f}{p50:9.2f}"
                f"{p95:8.2f}{p99:8.2f}{spent.server / count * 1e6:8.0f}"
                f"{spent.database / count * 1e6:6.0f}"
            )
    jwt = jwts.read(flow.assertion(service))
    floor = token_costs.times(lambda: jwts.verify(jwt, _KEY, ("ES384",)), 200)
    say(f"{'floor':>8}{1e6 / floor[0]:10.0f}   one signature checked, {floor[0]:.0f} µs")


def _service(url: str) -> App:
    """Register a backend service."""
    public = {**_KEY.as_dict(private=False), "kid": "es"}
    with _opened(url) as database:
        made: tuple[Client, str | None] = database.write(
            lambda connection: clients.create(
                connection,
                name="bench",
                auth_method="private_key_jwt",
                scope="system/*.rs",
                now=1,
                grant_types=("client_credentials",),
                jwks={"keys": [public]},
            )
        )
    return App(made[0], None, {"es": _KEY})


def _requests(server: Server, service: App, count: int) -> list[bytes]:
    root = f"http://{server.target.host}:{server.target.port}"
    return [_request(root, service) for _ in range(count)]


def _request(root: str, service: App) -> bytes:
    form = {
        "grant_type": "client_credentials",
        "scope": "system/*.rs",
        "client_assertion_type": flow.ASSERTION,
        "client_assertion": flow.assertion(service, audience=f"{root}/auth/token"),
    }
    body = urlencode(form).encode()
    head = (
        f"POST /auth/token HTTP/1.1\r\nHost: {root.removeprefix('http://')}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _opened(url: str) -> closing[Database]:
    return closing(open_database(url, secret=DEVELOPMENT_SECRET))


if __name__ == "__main__":
    main()
