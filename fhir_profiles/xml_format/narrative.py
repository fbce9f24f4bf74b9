"""Move the narrative `div` between XML and its text in JSON (FHIR R4 §2.6.1, §2.4 Narrative).

The text stays as it was written wherever it can stand alone, so that a narrative survives the way
through both formats. Does not judge which tags a narrative may use.
"""

import re
from html.entities import html5
from typing import Any
from xml.parsers import expat

from fhir_profiles.xml_format.layout import XHTML

MAX_DEPTH = 200  # of tags within each other

_TAG = re.compile(rb"<(?:[^<>\"']++|\"[^\"]*\"|'[^']*')*+>")
_OWN_NAMESPACE = re.compile(rb"\sxmlns\s*=\s*[\"']" + re.escape(XHTML.encode()) + rb"[\"']")
_PREFIX = re.compile(rb"<[^\s<>/!?:]++:|\s(?!xml:)[^\s<>=:\"']++:[^\s<>=:\"']++\s*=")
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]*;)")


def tag_end(document: bytes, start: int) -> int:
    """Return the offset behind the tag that begins at `start` of a well-formed document."""
    match = _TAG.match(document, start)
    return match.end() if match else start


def div_text(document: bytes, start: int, end: int, number: int) -> str:
    """Return the `div` at these offsets as text that can stand alone; it is the `number`-th one."""
    raw = document[start:end]
    opening = raw[: tag_end(raw, 0)]
    if not raw.startswith(b"<div") or not _OWN_NAMESPACE.search(opening):
        return _rebuilt(document, number)
    text = raw.decode()
    if _PREFIX.search(raw) and not _stands_alone(text):
        return _rebuilt(document, number)
    return text


def embedded(text: str) -> str:
    """Return a narrative's text as it can stand in FHIR XML; ValueError says why it can't."""
    text = _NAMED.sub(_as_character, text.strip())
    if not text.startswith("<") or text.startswith(("<?", "<!")):
        raise ValueError("it must begin with <div")
    root = _root_name(text)
    if root == "div":
        return f'<div xmlns="{XHTML}"{text[4:]}'
    if root != f"{XHTML} div":
        raise ValueError(f"its outer element must be a div of the namespace {XHTML}")
    return text


def _stands_alone(text: str) -> bool:
    try:
        return _root_name(text) == f"{XHTML} div"
    except ValueError:
        return False


def _root_name(text: str) -> str:
    found: list[str] = []
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")

    def first(name: str, _: Any) -> None:
        found.append(name)
        parser.StartElementHandler = None

    parser.StartElementHandler = first
    try:
        parser.Parse(text.encode(), True)
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair") from None
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        raise ValueError(f"it is not well-formed XHTML ({problem})") from None
    return found[0]


def _as_character(match: re.Match[str]) -> str:
    # Known in HTML, not in XML. Markup characters are among XML's five, which stay.
    return html5.get(match.group(1), match.group())


def _rebuilt(document: bytes, number: int) -> str:
    """Write the `number`-th narrative anew, in its own default namespace."""
    from lxml import etree

    # A prefix, or a namespace declared further out, can't be cut out with the text.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    within = f"{{{XHTML}}}"
    divs = [
        element
        for element in etree.fromstring(document, parser).iter(f"{within}div")
        if not _tag(element.getparent()).startswith(within)
    ]
    text = etree.tostring(_unprefixed(divs[number]), encoding="unicode", with_tail=False)
    return str(text)


def _tag(element: Any) -> str:
    return str(element.tag)


def _unprefixed(element: Any) -> Any:
    from lxml import etree

    if not isinstance(element.tag, str):
        return element
    default: Any = {None: XHTML}
    copy = etree.Element(element.tag, dict(element.attrib), nsmap=default)
    copy.text, copy.tail = element.text, element.tail
    copy.extend([_unprefixed(child) for child in element])
    return copy
