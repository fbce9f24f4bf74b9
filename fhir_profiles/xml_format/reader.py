"""FHIR XML to a dict of the JSON shape (FHIR R4 §2.6.1).

One pass of expat drives a stack of frames over the definitions; the document's own bytes are at
hand for narratives. No DTD, hence no entities but XML's five; nothing is fetched. Elements must be
known, in order and not empty; every finding names its place and line. Comments and processing
instructions are passed over.
"""

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from fhir_profiles import json_format
from fhir_profiles.issues import InvalidDocument, Issue
from fhir_profiles.xml_format.findings import (
    MAX_ISSUES,
    Frame,
    expression,
    malformed,
    misplaced,
    not_well_formed,
    refused_resource,
    unknown_element,
)
from fhir_profiles.xml_format.layout import (
    COMPLEX,
    NARRATIVE,
    PRIMITIVE,
    Slot,
    layout,
    resource_elements,
)
from fhir_profiles.xml_format.narrative import div_text, tag_end

MAX_NARRATIVE_DEPTH = 200

# Before the root element only: the same letters inside text or a comment mean nothing.
_DOCTYPE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:[ \t\r\n]++|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL
)
_ENCODING = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml\s[^>]*?\bencoding\s*=\s*[\"']([^\"']*)")
_SCHEMA_LOCATION = "http://www.w3.org/2001/XMLSchema-instance schemaLocation"


def parse(data: bytes, *, max_depth: int = json_format.MAX_DEPTH) -> dict[str, Any]:
    """Return the resource in an XML document; raise InvalidDocument with all that is wrong.

    `max_depth` counts the levels of the JSON that comes out.
    """
    if _DOCTYPE.match(data):
        raise malformed(1, "A document type declaration is not allowed in FHIR XML. Remove it.")
    declared = _ENCODING.match(data)
    if b"\0" in data[:4] or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise malformed(1, "This is not UTF-8. Send XML encoded as UTF-8.")
    if declared and declared.group(1).lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        raise malformed(1, "Another encoding than UTF-8 is declared. Send XML encoded as UTF-8.")
    return _Reader(data, max_depth).read()


class _Reader:
    def __init__(self, data: bytes, max_depth: int) -> None:
        self.data = data
        self.max_depth = max_depth
        self.issues: list[Issue] = []
        self.frame = Frame(None, None, None, {}, 0)
        self.open_within = 0
        self.div_start = 0
        self.div_count = 0
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.buffer_text = True
        self._follow(self._start, self._end, self._text)

    def read(self) -> dict[str, Any]:
        top = self.frame
        try:
            self.parser.Parse(self.data, True)
        except expat.ExpatError as error:
            raise not_well_formed(error, self.data) from None
        finally:
            # The handlers are bound methods: without this the parser would be a reference cycle.
            self._follow(None, None, None)
        if self.issues:
            raise InvalidDocument(self.issues)
        resource: dict[str, Any] = top.value["resource"]
        return resource

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        frame = self.frame
        if frame.elements is None:
            self._start_resource(frame, name, attributes)
            return
        slot: Slot | None = frame.elements.get(name)
        if slot is None:
            self._skip(frame, unknown_element(name, frame))
            return
        if frame.last is not None and slot.rank <= frame.last.rank:
            self._check_order(frame, slot)
        frame.last = slot
        frame.is_empty = False
        if slot.kind == PRIMITIVE:
            self._start_primitive(frame, slot, attributes)
        elif slot.kind == COMPLEX:
            self._start_complex(frame, slot, attributes)
        elif slot.kind == NARRATIVE:
            self._start_narrative(frame, slot)
        else:
            self._push(frame, slot, None, {})
            self._check_attributes(attributes, ())

    def _push(self, frame: Frame, slot: Slot, elements: Any, value: dict[str, Any]) -> Frame:
        depth = frame.depth + (2 if slot.many else 1)
        # The JSON of these is text; what they hold besides is a level of its own.
        self._check_depth(depth - 1 if slot.kind in (PRIMITIVE, NARRATIVE) else depth)
        self.frame = child = Frame(frame, slot, elements, value, depth)
        if slot.many:
            child.index = len(frame.value.get(slot.name, ()))
        return child

    def _check_depth(self, depth: int) -> None:
        if depth > self.max_depth:
            text = (
                f"Elements are nested deeper than {self.max_depth} levels, which no record needs."
            )
            raise malformed(self.parser.CurrentLineNumber, text)

    def _start_resource(self, frame: Frame, name: str, attributes: dict[str, str]) -> None:
        type_name = resource_elements().get(name)
        if type_name is None or not frame.is_empty:
            self._skip(frame, refused_resource(name, frame))
            return
        frame.is_empty = False
        value = {"resourceType": type_name}
        if frame.parent is None or frame.slot is None:
            frame.value["resource"] = value
        else:
            _attach(frame.parent.value, frame.slot, value)
        elements = layout(type_name).elements
        self.frame = Frame(frame, None, elements, value, max(frame.depth, 1))
        self._check_attributes(attributes, (_SCHEMA_LOCATION,))

    def _start_complex(self, frame: Frame, slot: Slot, attributes: dict[str, str]) -> None:
        shape = layout(slot.type)
        value: dict[str, Any] = {}
        child = self._push(frame, slot, shape.elements, value)
        _attach(frame.value, slot, value)
        if attributes:
            for name in shape.attributes:
                if name in attributes:
                    value[name] = self._not_empty(name, attributes[name])
            child.is_empty = "url" not in value
            self._check_attributes(attributes, shape.attributes)

    def _start_primitive(self, frame: Frame, slot: Slot, attributes: dict[str, str]) -> None:
        extras: dict[str, Any] = {}
        child = self._push(frame, slot, layout("Element").elements, extras)
        text = attributes.get("value")
        value: Any = text
        if text is not None:
            child.is_empty = False
            if slot.convert is not None or not text:
                value = self._converted(slot, text)
        if value is not None or slot.many:
            _attach(frame.value, slot, value)
        if len(attributes) != (text is not None):
            if "id" in attributes:
                self._check_depth(child.depth)
                extras["id"] = self._not_empty("id", attributes["id"])
            self._check_attributes(attributes, ("id", "value"))

    def _converted(self, slot: Slot, text: str) -> Any:
        if not text:
            return self._not_empty("value", text)
        assert slot.convert is not None
        try:
            return slot.convert(text)
        except ValueError as error:
            self._report("value", f"The value of '{slot.name}' {error}.")
            return text

    def _not_empty(self, name: str, text: str) -> str:
        if not text:
            self._report("value", f"The attribute '{name}' must not be empty. Leave it out.")
        return text

    def _end(self, _: str) -> None:
        frame = self.frame
        parent, slot = frame.parent, frame.slot
        if parent is None:
            return
        if frame.is_empty and slot is not None:
            self._report("structure", f"Element '{slot.name}' is empty. Leave it out.")
        if slot is not None and slot.kind == PRIMITIVE:
            _keep_extras(parent, slot, frame.value)
        elif frame.has_extras:
            _drop_empty_lists(frame.value)
        self.frame = parent

    def _start_narrative(self, frame: Frame, slot: Slot) -> None:
        self._push(frame, slot, {}, {})
        self.div_start = self.parser.CurrentByteIndex
        self._follow(self._start_within, self._end_narrative, None)

    def _end_narrative(self, _: str) -> None:
        if self.open_within:
            self.open_within -= 1
            return
        end = tag_end(self.data, self.div_start)
        if self.data[end - 2 : end] != b"/>":
            end = tag_end(self.data, self.parser.CurrentByteIndex)
        frame = self.frame.parent
        assert frame is not None
        frame.value["div"] = div_text(self.data, self.div_start, end, self.div_count)
        self.div_count += 1
        self.frame = frame
        self._follow(self._start, self._end, self._text)

    def _skip(self, frame: Frame, text: str) -> None:
        self._report("structure", text)
        frame.is_empty = False
        self._follow(self._start_within, self._end_skipped, None)

    def _end_skipped(self, _: str) -> None:
        if self.open_within:
            self.open_within -= 1
        else:
            self._follow(self._start, self._end, self._text)

    def _start_within(self, _name: str, _attributes: dict[str, str]) -> None:
        self.open_within += 1
        if self.open_within > MAX_NARRATIVE_DEPTH:
            text = f"Tags are nested deeper than {MAX_NARRATIVE_DEPTH} levels. Flatten them."
            raise malformed(self.parser.CurrentLineNumber, text)

    def _text(self, text: str) -> None:
        if text.strip(" \t\r\n"):
            self._report("structure", "Text may not stand here: values stand in attributes.")

    def _follow(
        self,
        start: Callable[[str, dict[str, str]], None] | None,
        end: Callable[[str], None] | None,
        text: Callable[[str], None] | None,
    ) -> None:
        self.parser.StartElementHandler = start
        self.parser.EndElementHandler = end
        self.parser.CharacterDataHandler = text

    def _check_order(self, frame: Frame, slot: Slot) -> None:
        last = frame.last
        if last is not None and slot.rank < last.rank:
            self._report("structure", misplaced(slot, last), slot.label)
        elif not slot.many and (slot.name in frame.value or f"_{slot.name}" in frame.value):
            self._report("structure", f"Element '{slot.name}' may stand only once.", slot.label)

    def _check_attributes(self, attributes: dict[str, str], known: Any) -> None:
        for name in attributes:
            if name not in known:
                shown = name.rpartition(" ")[2]
                self._report("structure", f"Unknown attribute '{shown}'. Remove it.")

    def _report(self, code: str, text: str, name: str = "") -> None:
        line = self.parser.CurrentLineNumber
        self.issues.append(Issue(code, f"{text} (line {line})", expression(self.frame, name)))
        if len(self.issues) >= MAX_ISSUES:
            raise InvalidDocument(self.issues)


def _attach(holder: dict[str, Any], slot: Slot, value: Any) -> None:
    if slot.many:
        holder.setdefault(slot.name, []).append(value)
    else:
        holder[slot.name] = value


def _keep_extras(parent: Frame, slot: Slot, extras: dict[str, Any]) -> None:
    """Put id and extensions of a primitive into `_name`, in step with the values of a list."""
    name = f"_{slot.name}"
    if not slot.many:
        if extras:
            parent.value[name] = extras
        return
    items = parent.value.get(name)
    if items is None:
        if not extras:
            return
        parent.has_extras = True
        items = parent.value[name] = [None] * (len(parent.value[slot.name]) - 1)
    items.append(extras or None)


def _drop_empty_lists(value: dict[str, Any]) -> None:
    # `[null, null]` beside `_name` says nothing.
    for name in [name for name in value if name.startswith("_")]:
        items = value.get(name[1:])
        if isinstance(items, list) and all(item is None for item in items):
            del value[name[1:]]
