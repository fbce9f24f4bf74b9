"""The XHTML of a narrative: one safe, well-formed div with something to read.

FHIR R4 §2.4.0 (Narrative) with its rules txt-1 (only basic formatting) and txt-2 (not empty). No
scripts, forms, event attributes, document types or processing instructions. Links keep any scheme
but script ones: a transaction rewrites `urn:uuid:` links.
"""

import re

from lxml import etree

NAMESPACE = "http://www.w3.org/1999/xhtml"
_MAX_TEXT = 1024 * 1024

# HTML 4.0 chapters 7-11 (but §9.4) and 15, and the elements a and img, as R4 says.
_ELEMENTS = frozenset(
    re.findall(
        r"\S+",
        """a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn
        div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub
        sup table tbody td tfoot th thead tr tt ul var""",
    )
)
_ATTRIBUTES = frozenset(
    re.findall(
        r"\S+",
        """abbr accesskey align alt axis border cellpadding cellspacing char charoff charset cite
        class clear colspan compact coords dir frame headers height href hreflang hspace id ismap
        lang longdesc name nohref noshade nowrap rel rev rowspan rules scope shape size space span
        src start style summary tabindex title type usemap valign value vspace width
        {http://www.w3.org/XML/1998/namespace}lang {http://www.w3.org/XML/1998/namespace}space
        {http://www.w3.org/XML/1998/namespace}id""",
    )
)
_LINKS = frozenset({"href", "src", "longdesc", "cite", "usemap"})
# Browsers drop white space and control characters inside a scheme.
_IGNORED = re.compile(r"[\s\x00-\x20\x7f]+")
_SCRIPTS = ("javascript:", "vbscript:", "data:text/html", "data:image/svg", "data:application/")
_PREFIX = "{" + NAMESPACE + "}"


def narrative_fault(div: str) -> str:
    """Return what is wrong with a narrative's div, as one sentence; empty when nothing is."""
    if len(div) > _MAX_TEXT:
        return "The div is longer than 1,048,576 characters."
    if "<!DOCTYPE" in div or "<!ENTITY" in div or "<?" in div:
        return "The div must not have a document type or processing instructions."
    try:
        # A new parser each time costs 2 µs and is safe in any thread.
        root = etree.fromstring(div, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        return f"The div is not well-formed XML: {_reason(error)}"
    if root.tag != _PREFIX + "div":
        return f'The narrative must be one div element with xmlns="{NAMESPACE}".'
    return _content_fault(root)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=False)


def _reason(error: Exception) -> str:
    # Not the parser's own text: it may quote what the narrative says.
    text = str(error)
    if "Entity" in text:
        return "HTML entities such as &nbsp; are unknown; write the character or &#160;."
    if "not closed" in text or "mismatch" in text or "Premature" in text:
        return "an element is not closed, or closed in the wrong order."
    line, column = getattr(error, "position", (1, 1))
    return f"see line {line}, column {column}."


def _content_fault(root: etree._Element) -> str:
    has_content = False
    for element in root.iter():
        tag = element.tag
        if not isinstance(tag, str):
            if tag is etree.Comment:
                has_content = has_content or bool(element.tail and element.tail.strip())
                continue
            return "The div must not have entities or processing instructions."
        name = tag.removeprefix(_PREFIX)
        if name not in _ELEMENTS or len(name) == len(tag):
            return f"The element '{_shown(name)}' is not allowed in a narrative (txt-1)."
        if element.attrib:
            fault = _attribute_fault(element)
            if fault:
                return fault
        if not has_content:
            has_content = name == "img" or _has_text(element)
    return "" if has_content else "The narrative has nothing to read (txt-2)."


def _has_text(element: etree._Element) -> bool:
    text, tail = element.text, element.tail
    return bool((text and text.strip()) or (tail and tail.strip()))


def _attribute_fault(element: etree._Element) -> str:
    for name, value in element.attrib.items():
        if name not in _ATTRIBUTES:
            return f"The attribute '{_shown(str(name))}' is not allowed in a narrative (txt-1)."
        if name in _LINKS and _IGNORED.sub("", str(value)).lower().startswith(_SCRIPTS):
            return f"The attribute '{name}' must not run a script (txt-1)."
    return ""


def _shown(name: str) -> str:
    return name.rpartition("}")[2][:64]
