"""A dict of the JSON shape to FHIR XML (FHIR R4 §2.6.1).

Elements come in definition order whatever the order of the members; decimals keep their text and
narratives theirs. What XML can't hold is refused with its place, never dropped.
"""

import re
from typing import Any, NoReturn

from fhir_profiles.definitions import is_resource_type
from fhir_profiles.issues import InvalidDocument, Issue
from fhir_profiles.xml_format.layout import (
    ATTRIBUTE,
    COMPLEX,
    FHIR,
    NARRATIVE,
    PRIMITIVE,
    Layout,
    Slot,
    layout,
)
from fhir_profiles.xml_format.narrative import embedded

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_NOT_PLAIN = re.compile('[&<"\x00-\x1f\ud800-\udfff\ufffe\uffff]')
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans(
    # Line ends and tabs as references: a parser would turn them into spaces.
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


def serialise(resource: dict[str, Any], *, pretty: bool = False) -> bytes:
    """Return a resource as an XML document; raise InvalidDocument for what XML can't hold."""
    writer = _Writer(pretty)
    writer.resource(resource, f' xmlns="{FHIR}"', 0)
    return "".join(writer.out).encode()


class _Writer:
    def __init__(self, pretty: bool) -> None:
        self.pretty = pretty
        self.out: list[str] = [_DECLARATION]
        # Names and indexes of what is being written: the place of an error.
        self.trail: list[str] = []
        if pretty:
            self.out.append("\n")

    def resource(self, value: Any, namespace: str, level: int) -> None:
        name = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(name, str) or not is_resource_type(name):
            self._refuse("A resource with a known 'resourceType' is expected here.")
        if not self.trail:
            self.trail.append(name)
        self._element(name, namespace, value, layout(name), level)

    def _element(
        self, name: str, attributes: str, value: dict[str, Any], shape: Layout, level: int
    ) -> None:
        out = self.out
        out.append(f"<{name}{attributes}>")
        before = len(out)
        self._children(value, shape, level + 1)
        if len(out) == before:
            out[-1] = f"<{name}{attributes}/>"
        else:
            out.append(f"{self._line(level)}</{name}>")

    def _children(self, value: dict[str, Any], shape: Layout, level: int) -> None:
        for slot in self._in_order(value, shape):
            member = value.get(slot.name)
            if slot.kind == PRIMITIVE:
                self._primitives(slot, member, value.get(f"_{slot.name}"), level)
            elif not slot.many:
                self._one(slot, member, level)
            elif isinstance(member, list):
                for index, item in enumerate(member):
                    self._one(slot, item, level, f"[{index}]")
            else:
                self._refuse("A list is expected here.", slot.label)

    def _in_order(self, value: dict[str, Any], shape: Layout) -> list[Slot]:
        slots: list[Slot] = []
        last = -1
        is_sorted = True
        for name in value:
            slot = shape.members.get(name)
            if slot is None:
                slot = self._of_extras(name, value, shape)
                if slot is None:
                    continue
            if slot.kind != ATTRIBUTE:
                slots.append(slot)
                is_sorted = is_sorted and slot.rank >= last
                last = slot.rank
        if not is_sorted:
            slots.sort(key=_rank)
        return slots

    def _of_extras(self, name: str, value: dict[str, Any], shape: Layout) -> Slot | None:
        """Return the slot of `_name` where it stands without `name`."""
        # Only resources have no attributes.
        if name == "resourceType" and not shape.attributes:
            return None
        slot = shape.members.get(name[1:]) if name[:1] == "_" else None
        if slot is None or slot.kind != PRIMITIVE:
            self._refuse(f"Unknown member '{name[:64]}'.")
        return None if slot.name in value else slot

    def _one(self, slot: Slot, item: Any, level: int, index: str = "") -> None:
        self.trail.append(slot.label + index)
        self.out.append(self._line(level))
        if slot.kind == NARRATIVE:
            self._narrative(item)
        elif not isinstance(item, dict):
            self._refuse("An object is expected here.")
        elif slot.kind == COMPLEX:
            shape = layout(slot.type)
            self._element(slot.name, self._attributes(item, shape), item, shape, level)
        else:
            self.out.append(f"<{slot.name}>{self._line(level + 1)}")
            self.resource(item, "", level + 1)
            self.out.append(f"{self._line(level)}</{slot.name}>")
        self.trail.pop()

    def _attributes(self, item: dict[str, Any], shape: Layout) -> str:
        text = ""
        for name in shape.attributes:
            if name in item:
                text += f' {name}="{self._escaped(item[name])}"'
        return text

    def _primitives(self, slot: Slot, member: Any, extras: Any, level: int) -> None:
        if not slot.many:
            self._primitive(slot, member, extras, level)
            return
        for values in (member, extras):
            if values is not None and not isinstance(values, list):
                self._refuse("A list is expected here.", slot.label)
        member, extras = member or (), extras or ()
        for index in range(max(len(member), len(extras))):
            value = member[index] if index < len(member) else None
            extra = extras[index] if index < len(extras) else None
            self._primitive(slot, value, extra, level, f"[{index}]")

    def _primitive(self, slot: Slot, value: Any, extra: Any, level: int, index: str = "") -> None:
        self.trail.append(slot.label + index)
        text = "" if value is None else f' value="{self._escaped(value)}"'
        out = self.out
        if extra is None:
            if value is None:
                self._refuse("A value is expected here, not null.")
            out.append(f"{self._line(level)}<{slot.name}{text}/>")
        elif isinstance(extra, dict):
            shape = layout("Element")
            out.append(self._line(level))
            attributes = self._attributes(extra, shape) + text
            self._element(slot.name, attributes, extra, shape, level)
        else:
            self._refuse("An object with id or extension is expected here.")
        self.trail.pop()

    def _narrative(self, text: Any) -> None:
        if not isinstance(text, str):
            self._refuse("The narrative must be a string of XHTML.")
        try:
            self.out.append(embedded(text))
        except ValueError as error:
            self._refuse(f"The narrative has no place in XML: {error}. Ask for JSON instead.")

    def _escaped(self, value: Any) -> str:
        if isinstance(value, str):
            if not _NOT_PLAIN.search(value):
                return value
            if found := _NOT_XML.search(value):
                code = f"U+{ord(found.group()):04X}"
                self._refuse(f"The character {code} has no place in XML. Ask for JSON instead.")
            return value.translate(_ESCAPES)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, dict | list) or value is None:
            self._refuse("A single value is expected here.")
        return str(value)

    def _line(self, level: int) -> str:
        return "\n" + "  " * level if self.pretty else ""

    def _refuse(self, text: str, name: str = "") -> NoReturn:
        place = ".".join([*self.trail, name] if name else self.trail)
        raise InvalidDocument([Issue("structure", text, place)])


def _rank(slot: Slot) -> int:
    return slot.rank
