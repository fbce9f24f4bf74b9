"""What stands before the root element: no document type, and UTF-8 only (FHIR R4 §2.6.1)."""

import re

from fhir_profiles.xml_format.findings import malformed

# Before the root element only: the same letters inside text or a comment mean nothing.
_DOCTYPE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:[ \t\r\n]++|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL
)
_ENCODING = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml\s[^>]*?\bencoding\s*=\s*[\"']([^\"']*)")


def check_prolog(data: bytes) -> None:
    """Raise InvalidDocument for a document type declaration or another encoding."""
    if _DOCTYPE.match(data):
        raise malformed(1, "A document type declaration is not allowed in FHIR XML. Remove it.")
    declared = _ENCODING.match(data)
    if b"\0" in data[:4] or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise malformed(1, "This is not UTF-8. Send XML encoded as UTF-8.")
    if declared and declared.group(1).lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        raise malformed(1, "Another encoding than UTF-8 is declared. Send XML encoded as UTF-8.")
