"""What is wrong with an XML document, in words with its place (FHIRPath) and line."""

from typing import Any
from xml.parsers import expat

from fhir_profiles.issues import InvalidDocument, Issue
from fhir_profiles.xml_format.layout import FHIR, XHTML, Slot

MAX_ISSUES = 100


class Frame:
    """An open element: what it fills, what may stand in it, and how deep its JSON is."""

    __slots__ = (
        "depth",
        "elements",
        "has_extras",
        "index",
        "is_empty",
        "last",
        "parent",
        "slot",
        "value",
    )

    def __init__(
        self,
        parent: "Frame | None",
        slot: Slot | None,
        elements: Any,
        value: dict[str, Any],
        depth: int,
    ) -> None:
        self.parent = parent
        self.slot = slot
        # None where one resource is expected instead of elements.
        self.elements = elements
        self.value = value
        self.depth = depth
        self.last: Slot | None = None
        self.index = -1
        self.is_empty = True
        self.has_extras = False


def expression(frame: Frame | None, name: str = "") -> str:
    """Return the FHIRPath location of an open element, or of one called `name` within it."""
    parts = [name] if name else []
    while frame is not None:
        if frame.slot is not None:
            index = f"[{frame.index}]" if frame.index >= 0 else ""
            parts.append(frame.slot.label + index)
        elif frame.parent is not None and frame.parent.parent is None:
            parts.append(frame.value["resourceType"])
        frame = frame.parent
    return ".".join(reversed(parts))


def unknown_element(name: str, frame: Frame) -> str:
    """Return a sentence on an element that may not stand in `frame`."""
    namespace, _, local = name.rpartition(" ")
    expected = XHTML if local == "div" and f"{XHTML} div" in frame.elements else FHIR
    if f"{expected} {local}" in frame.elements:
        return f"Element '{local}' must be in the namespace {expected}."
    if namespace not in (FHIR, ""):
        return f"Element '{local}' of the namespace {namespace} is not part of FHIR. Remove it."
    return f"Unknown element '{local}'. Known here: {_known(frame)}."


def refused_resource(name: str, frame: Frame) -> str:
    """Return a sentence on an element that stands where one resource is expected."""
    namespace, _, local = name.rpartition(" ")
    if namespace != FHIR:
        return f"Element '{local}' must be a resource in the namespace {FHIR}."
    if not frame.is_empty:
        return f"Only one resource may stand here; '{local}' is a further one."
    return f"'{local}' is not a FHIR R4 resource type."


def misplaced(slot: Slot, last: Slot) -> str:
    """Return a sentence on an element that comes after one it should precede."""
    return f"Element '{slot.name}' must stand before '{last.name}': FHIR XML has a fixed order."


def elements_too_deep(line: int, levels: int) -> InvalidDocument:
    """Return the refusal of a resource that goes deeper than this server takes."""
    text = f"Elements are nested deeper than {levels} levels, which no record needs."
    return malformed(line, text)


def tags_too_deep(line: int, levels: int) -> InvalidDocument:
    """Return the refusal of a narrative that goes deeper."""
    return malformed(line, f"Tags are nested deeper than {levels} levels. Flatten them.")


def malformed(line: int, text: str) -> InvalidDocument:
    """Return the error for a document that can't be read on."""
    issue = Issue("structure", f"The XML can't be read at line {line}: {text}")
    return InvalidDocument([issue], malformed=True)


def not_well_formed(error: expat.ExpatError, data: bytes) -> InvalidDocument:
    """Return the error for what expat could not parse."""
    try:
        data.decode()
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        return malformed(line, "This is not UTF-8. Send XML encoded as UTF-8.")
    if data.lstrip()[:1] in (b"{", b"["):
        return malformed(1, "This looks like JSON: send it as application/fhir+json.")
    problem = expat.ErrorString(error.code)
    hint = _HINTS.get(problem, "")
    return malformed(error.lineno, f"column {error.offset + 1}, {problem}.{hint}")


_HINTS = {
    "undefined entity": " XML knows only &amp; &lt; &gt; &quot; &apos; and numbers such as &#160;.",
    "no element found": " The document ends too early.",
    "unbound prefix": " Declare the namespace of this prefix.",
}


def _known(frame: Frame) -> str:
    names = list(dict.fromkeys(slot.label for slot in frame.elements.values()))
    return ", ".join(names[:60]) or "none"
