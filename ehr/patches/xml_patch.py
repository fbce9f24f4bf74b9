"""XML Patch (RFC 5261) on the FHIR XML of a resource: bytes in, bytes out.

`add`, `replace` and `remove` of elements, attributes, text and comments. Namespace declarations are
not patched: FHIR XML has a fixed one. The caller converts between XML and JSON with
`fhir_profiles.xml_format`. Operations are counted from 0 in messages.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from lxml import etree

from ehr.errors import Invalid, Unprocessable
from ehr.patches.selectors import select
from ehr.patches.xml_places import append, prepend, put_beside

MAX_OPERATIONS = 1_000
_ROOTS = ("diff", "patch")  # of R4's examples and of RFC 7351
_OPERATIONS = ("add", "replace", "remove")


def apply(document: bytes, patch: bytes) -> bytes:
    """Return the patched XML of a resource.

    A malformed patch raises Invalid (400), one that does not fit the resource Unprocessable (422).
    """
    root = parse(document, "resource")
    for index, operation in enumerate(_operations(patch)):
        _apply(root, operation, index)
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="utf-8")


def parse(data: bytes, what: str) -> etree._Element:
    """Parse XML without entities, document types or network; Invalid when that is not possible."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Invalid(f"The {what} is not well-formed XML: {error}.", code="structure") from None
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise Invalid(f"The {what} must not have a document type.", code="structure")
    return root


def _operations(patch: bytes) -> list[etree._Element]:
    root = parse(patch, "patch")
    if not isinstance(root.tag, str) or etree.QName(root).localname not in _ROOTS:
        raise Invalid("An XML Patch is a <diff> element with operations in it (RFC 5261).")
    found = [child for child in root if isinstance(child.tag, str)]
    if len(found) > MAX_OPERATIONS:
        raise Invalid(f"A patch has at most {MAX_OPERATIONS} operations; send several patches.")
    for index, each in enumerate(found):
        name = etree.QName(each).localname
        if name not in _OPERATIONS:
            known = ", ".join(_OPERATIONS)
            raise Invalid(f"Patch operation {index}: <{name}> is none of {known} (RFC 5261 §4).")
        if not each.get("sel"):
            raise Invalid(f"Patch operation {index} ({name}) needs a sel attribute.")
    return found


def _apply(root: etree._Element, operation: etree._Element, index: int) -> None:
    name, selector = etree.QName(operation).localname, operation.get("sel", "")
    label = f"Patch operation {index} ({name} {selector})"
    try:
        found = select(root, selector, operation.nsmap)
    except (ValueError, etree.XPathError) as error:
        raise Invalid(f"{label}: {error}.") from None
    if len(found) != 1:
        raise Unprocessable(
            f"{label}: sel must find one node and finds {len(found)}.{_hint(operation)}"
        )
    _APPLY[name](found[0], operation, label)


def _hint(operation: etree._Element) -> str:
    if None in operation.nsmap or "f" in operation.nsmap:
        return ""
    return " Declare the namespace http://hl7.org/fhir in the patch and use its prefix."


def _add(target: Any, operation: etree._Element, label: str) -> None:
    if not isinstance(target, etree._Element):
        raise Unprocessable(f"{label}: sel must find an element.")
    kind, position = operation.get("type"), operation.get("pos")
    if position not in ("before", "after") and not isinstance(target.tag, str):
        raise Unprocessable(f"{label}: nothing can be added inside a comment.")
    if kind is not None:
        _add_attribute(target, operation, kind, label)
        return
    if position not in (None, "before", "after", "prepend"):
        raise Invalid(f"{label}: pos is before, after or prepend.")
    text, children = _content(operation)
    if position in ("before", "after"):
        if target.getparent() is None:
            raise Unprocessable(f"{label}: nothing can stand beside the root element.")
        put_beside(target, text, children, before=position == "before")
    elif position == "prepend":
        prepend(target, text, children)
    else:
        append(target, text, children)


def _add_attribute(
    target: etree._Element, operation: etree._Element, kind: str, label: str
) -> None:
    name = _attribute_name(kind, operation, label)
    if name in target.attrib:
        raise Unprocessable(f"{label}: the attribute is there already. Use replace.")
    if len(operation):
        raise Invalid(f"{label}: the value of an attribute is text.")
    _set_attribute(target, name, operation.text or "", label)


def _attribute_name(kind: str, operation: etree._Element, label: str) -> str:
    if not kind.startswith("@"):
        raise Invalid(f"{label}: type is @name; namespace declarations cannot be patched.")
    prefix, colon, local = kind[1:].rpartition(":")
    if not colon:
        return local
    if prefix not in operation.nsmap:
        raise Invalid(f"{label}: the prefix {prefix} is not declared in the patch document.")
    return f"{{{operation.nsmap[prefix]}}}{local}"


def _set_attribute(target: etree._Element, name: str, value: str, label: str) -> None:
    try:
        target.set(name, value)
    except ValueError:
        raise Invalid(f"{label}: this is no XML attribute.") from None


def _content(operation: etree._Element) -> tuple[str, list[etree._Element]]:
    """Return leading text and copies of the nodes that an operation carries, tails included."""
    return operation.text or "", [deepcopy(child) for child in operation]


def _replace(target: Any, operation: etree._Element, label: str) -> None:
    text, children = _content(operation)
    if isinstance(target, etree._Element):
        _replace_node(target, text, children, label)
        return
    if children:
        raise Invalid(f"{label}: an attribute or text is replaced by text.")
    parent = target.getparent()
    if target.is_attribute:
        _set_attribute(parent, target.attrname, text, label)
    elif target.is_tail:
        parent.tail = text or None
    else:
        parent.text = text or None


def _replace_node(
    target: etree._Element, text: str, children: list[etree._Element], label: str
) -> None:
    if len(children) != 1 or text.strip() or (children[0].tail or "").strip():
        raise Invalid(f"{label}: a node is replaced by exactly one node.")
    new = children[0]
    if isinstance(target.tag, str) is not isinstance(new.tag, str):
        raise Invalid(f"{label}: an element is replaced by an element, a comment by a comment.")
    parent = target.getparent()
    if parent is None:
        raise Unprocessable(f"{label}: the root element cannot be replaced; use PUT.")
    new.tail = target.tail
    parent.replace(target, new)


def _remove(target: Any, operation: etree._Element, label: str) -> None:
    space = operation.get("ws")
    if space not in (None, "before", "after", "both"):
        raise Invalid(f"{label}: ws is before, after or both.")
    if isinstance(target, etree._Element):
        _remove_node(target, space or "", label)
        return
    parent = target.getparent()
    if space is not None:
        raise Invalid(f"{label}: ws is for elements and comments only.")
    if target.is_attribute:
        del parent.attrib[target.attrname]
    elif target.is_tail:
        parent.tail = None
    else:
        parent.text = None


def _remove_node(target: etree._Element, space: str, label: str) -> None:
    parent = target.getparent()
    if parent is None:
        raise Unprocessable(f"{label}: the root element cannot be removed; use DELETE.")
    at = parent.index(target)
    before = (parent[at - 1].tail if at else parent.text) or ""
    after = target.tail or ""
    if space in ("before", "both"):
        before = _without_space(before, label)
    if space in ("after", "both"):
        after = _without_space(after, label)
    parent.remove(target)
    joined = before + after or None
    if at:
        parent[at - 1].tail = joined
    else:
        parent.text = joined


def _without_space(text: str, label: str) -> str:
    if not text or text.strip():
        raise Unprocessable(f"{label}: there is no white space node to remove; leave out ws.")
    return ""


_APPLY: dict[str, Callable[[Any, etree._Element, str], None]] = {
    "add": _add,
    "replace": _replace,
    "remove": _remove,
}
