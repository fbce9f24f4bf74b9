"""Whose scripts may call: the web origins that clients in use are registered with (Fetch, CORS)."""

import json
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from auth.models import client

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

_LONGEST = 300
_KEPT = 10_000  # a client that is put out of use is seen as that by then
_PAUSE = 1000  # before an origin that is not known is looked for again


def is_registered(connection: Connection, origin: str, client_id: str | None = None) -> bool:
    """Tell whether an origin is one of this client's, or of any where none is named."""
    if not origin or len(origin) > _LONGEST:
        return False
    asked = select(client.c.origins).where(
        client.c.disabled.is_(None), client.c.origins.contains(json.dumps(origin), autoescape=True)
    )
    if client_id is not None:
        asked = asked.where(client.c.id == client_id)
    return any(origin in json.loads(found) for found in connection.execute(asked).scalars())


class Origins:
    """The origins of all clients in use, kept for some seconds: asked at each request of a script.

    Those of the pages that an app is sent back to count as well: that is where it runs.
    """

    def __init__(self, surroundings: "Surroundings") -> None:
        self._surroundings = surroundings
        self._known: frozenset[str] = frozenset()
        self._asked: int | None = None
        self._lock = threading.Lock()

    def has(self, origin: str) -> bool:
        """Tell whether a client in use is registered with an origin."""
        if not origin or len(origin) > _LONGEST:
            return False
        now = self._surroundings.clock()
        with self._lock:
            age = _KEPT if self._asked is None else now - self._asked
            if age >= _KEPT or (origin not in self._known and age >= _PAUSE):
                self._asked = now
                self._learn()
            return origin in self._known

    def _learn(self) -> None:
        asked = select(client.c.origins, client.c.redirect_uris).where(client.c.disabled.is_(None))
        faults: tuple[type[Exception], ...] = (SQLAlchemyError, *self._surroundings.refusals)
        try:
            with self._surroundings.store.read() as connection:
                rows = connection.execute(asked).all()
        except faults:
            return  # what was known goes on; the request was answered for already
        self._known = frozenset(
            origin
            for row in rows
            for origin in (*json.loads(row.origins), *map(_origin, json.loads(row.redirect_uris)))
        )


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme in ("http", "https") else ""
