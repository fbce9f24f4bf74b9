"""Entity tags as version ids: headers If-Match and If-None-Match, and the same in a Bundle.

RFC 9110 §8.8.3 and R4 §3.1.0.5.
"""

import re

from ehr.errors import Invalid

# W/"3" and "3" as RFC 9110 has them; a bare 3 because many clients send it.
_ENTITY_TAG = re.compile(r'\s*(?:(?:W/|w/)?"([\x21\x23-\x7e]*)"|([A-Za-z0-9.-]{1,64}))\s*')


def entity_tags(text: str | None, header: str) -> tuple[str, ...]:
    """Return the version ids of a list of entity tags, or `("*",)`.

    A header that can't be read is refused: ignoring it would drop the caller's protection.
    """
    if text is None:
        return ()
    if text.strip() == "*":
        return ("*",)
    tags: list[str] = []
    for part in text.split(","):
        found = _ENTITY_TAG.fullmatch(part)
        if found is None:
            raise Invalid(f'{header} is no list of entity tags. Write it like W/"3".')
        tags.append(found[1] if found[1] is not None else found[2])
    return tuple(tags)
