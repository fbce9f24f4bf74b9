"""Ask the record without a server: a request through the same endpoint, as an operator or system.

Whoever may start this program may read the database, so no token is asked for.
"""

import re
from functools import partial
from typing import TYPE_CHECKING

from auth.principal import Principal
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.rest.bases import MOUNT

if TYPE_CHECKING:
    from ehr.record import Record
    from ehr.rest.respond import Response

_BASE = re.compile(rf"^/?{MOUNT.strip('/')}(?=[/?]|$)")
_LOCAL = ("127.0.0.1", "localhost", "[::1]")


def ask(
    record: "Record",
    path: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    kind: str = "operator",
    base_url: str = "",
) -> "Response":
    """Return status, headers and body chunks of one request: a path below the FHIR base.

    An address with the record's own base before it, such as a page's link, is taken too. Raises
    CommandError for that of another server.
    """
    from werkzeug.test import EnvironBuilder

    from ehr.interactions import refusals
    from ehr.pipeline import handle
    from ehr.rest.endpoint import Door, endpoint

    caller = Principal("command-line", kind, "command line")
    told = partial(refusals.tell, record)
    door = Door(record.settings, partial(handle, record), lambda _sent: caller, tell_refused=told)
    path, _, query = _below_base(path, record).partition("?")
    builder = EnvironBuilder(
        path=f"{MOUNT}/{path.lstrip('/')}".rstrip("/"),
        query_string=query,
        method=method,
        data=body,
        base_url=base_url or f"http://{record.settings.host}:{record.settings.port}",
        content_type="application/fhir+json" if body else None,
        headers=[("Authorization", "Bearer of-this-machine")],
    )
    try:
        return endpoint(door, builder.get_environ())
    finally:
        builder.close()


def _below_base(address: str, record: "Record") -> str:
    if not re.match(r"https?://", address, re.IGNORECASE):
        return _BASE.sub("", address)
    bases = _own_bases(record)
    for base in bases:
        if re.match(rf"{re.escape(base)}(?=[/?]|$)", address, re.IGNORECASE):
            return address[len(base) :]
    raise CommandError(
        f"{address.partition('?')[0]} is not an address of this record.",
        f"Its own begin with {' or '.join(bases[: -len(_LOCAL)] or bases[:1])}.",
        "Give what stands below the base, such as Patient/123; ask other servers with curl.",
        exit=Exit.USAGE,
    )


def _own_bases(record: "Record") -> list[str]:
    """Return the addresses that the record goes or went by, last of all those of this machine."""
    port = record.settings.port
    local = [f"http://{host}:{port}{MOUNT}" for host in _LOCAL]
    known = [one for one in record.database.own_bases() if one not in local]
    return [*known, *local]
