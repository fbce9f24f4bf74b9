"""FHIR XML to a dict of the JSON shape (FHIR R4 §2.6.1).

One pass of expat drives a stack of frames over the definitions; the document's own bytes are at
hand for narratives. No DTD, hence no entities but XML's five; nothing is fetched. Elements must be
known, in order and not empty; every finding names its place and line. Comments and processing
instructions are passed over.
"""

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from fhir_profiles import json_format
from fhir_profiles.issues import InvalidDocument, Issue
from fhir_profiles.xml_format.findings import (
    MAX_ISSUES,
    Frame,
    elements_too_deep,
    expression,
    misplaced,
    not_well_formed,
    refused_resource,
    tags_too_deep,
    unknown_element,
)
from fhir_profiles.xml_format.layout import (
    COMPLEX,
    NARRATIVE,
    PRIMITIVE,
    SCHEMA_LOCATION,
    Slot,
    layout,
    resource_elements,
)
from fhir_profiles.xml_format.members import attach, drop_empty_lists, keep_extras
from fhir_profiles.xml_format.narrative import MAX_DEPTH, div_text, tag_end
from fhir_profiles.xml_format.prolog import check_prolog


def parse(data: bytes, *, max_depth: int = json_format.MAX_DEPTH) -> dict[str, Any]:
    """Return the resource in an XML document; raise InvalidDocument with all that is wrong.

    `max_depth` counts the levels of the JSON that comes out.
    """
    check_prolog(data)
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
            raise elements_too_deep(self.parser.CurrentLineNumber, self.max_depth)

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
            attach(frame.parent.value, frame.slot, value)
        elements = layout(type_name).elements
        self.frame = Frame(frame, None, elements, value, max(frame.depth, 1))
        self._check_attributes(attributes, (SCHEMA_LOCATION,))

    def _start_complex(self, frame: Frame, slot: Slot, attributes: dict[str, str]) -> None:
        shape = layout(slot.type)
        value: dict[str, Any] = {}
        child = self._push(frame, slot, shape.elements, value)
        attach(frame.value, slot, value)
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
            attach(frame.value, slot, value)
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
            keep_extras(parent, slot, frame.value)
        elif frame.has_extras:
            drop_empty_lists(frame.value)
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
        if self.open_within > MAX_DEPTH:
            raise tags_too_deep(self.parser.CurrentLineNumber, MAX_DEPTH)

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
