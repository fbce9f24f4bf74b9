"""Ask the record without a server: a request through the same endpoint, as an operator or system.

Whoever may start this program may read the database, so no token is asked for.
"""

import re
from functools import partial
from typing import TYPE_CHECKING

from auth.principal import Principal
from ehr.rest.bases import MOUNT

if TYPE_CHECKING:
    from ehr.record import Record
    from ehr.rest.respond import Response

_BASE = re.compile(rf"^(https?://[^/?]+)?/?{MOUNT.strip('/')}(?=[/?]|$)")


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

    An address with the base before it, such as a page's link, is taken too.
    """
    from werkzeug.test import EnvironBuilder

    from ehr.pipeline import handle
    from ehr.rest.endpoint import Door, endpoint

    caller = Principal("command-line", kind, "command line")
    door = Door(record.settings, partial(handle, record), lambda _token: caller)
    path, _, query = _below_base(path, record.settings.base_url).partition("?")
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


def _below_base(address: str, base_url: str) -> str:
    if base_url and address.startswith(base_url):
        return address.removeprefix(base_url)
    return _BASE.sub("", address)
