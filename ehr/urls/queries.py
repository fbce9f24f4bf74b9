"""Query strings and forms, decoded strictly: pairs in the order sent, UTF-8 only, no NUL.

The common decoder replaces bad bytes and keeps broken escapes; a search for the wrong text would
then answer "nothing found", which in a record is dangerous.
"""

import re

from ehr.errors import Invalid
from ehr.messages import Params

# They shape a whole answer and mean nothing to the record.
FORMATTING = frozenset({"_format", "_pretty"})
PRETTY = frozenset({"true", "false"})
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_MOST_PAIRS = 1_000


def decode_pairs(text: bytes, where: str) -> Params:
    """Return the name-value pairs of a query string or form; `where` names it in errors."""
    parts = [part for part in text.split(b"&") if part]
    if len(parts) > _MOST_PAIRS:
        raise Invalid(
            f"The {where} has {len(parts)} parameters. Send at most {_MOST_PAIRS}.", code="too-long"
        )
    return tuple(_pair(part, where) for part in parts)


def decode_path(path: str) -> str:
    """Return the path of a Bundle entry's url, decoded; an HTTP server has done so already."""
    try:
        octets = path.encode("utf-8")
    except UnicodeEncodeError:
        raise Invalid("The url is not UTF-8. Percent-encode text as UTF-8.") from None
    return _decode(octets.replace(b"+", b"%2B"), "url")


def without_formatting(params: Params) -> Params:
    """Return the parameters that mean something to the record, and `_pretty` where it has no value.

    Nobody heeds that one under lenient handling, and a search tells so.
    """
    return tuple(pair for pair in params if pair[0] not in FORMATTING or _is_wrong(pair))


def _is_wrong(pair: tuple[str, str]) -> bool:
    return pair[0] == "_pretty" and bool(pair[1]) and pair[1] not in PRETTY


def _pair(part: bytes, where: str) -> tuple[str, str]:
    name, _, value = part.partition(b"=")
    if not name:
        raise Invalid(f"The {where} has a value without a name. Write name=value.")
    return _decode(name, where), _decode(value, where)


def _decode(raw: bytes, where: str) -> str:
    if _BROKEN_ESCAPE.search(raw):
        raise Invalid(f"The {where} has a % that begins no escape. Write % itself as %25.")
    octets = _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), raw.replace(b"+", b" "))
    return checked_text(octets, where)


def checked_text(octets: bytes, where: str) -> str:
    """Return UTF-8 octets as text; raise Invalid when they are none or hold a NUL."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"The {where} is not UTF-8. Percent-encode text as UTF-8.") from None
    if "\0" in text:
        raise Invalid(f"The {where} holds a NUL character. Leave it out.", code="value")
    return text
