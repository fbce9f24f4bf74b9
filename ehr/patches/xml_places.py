"""Where nodes and texts go in a tree that has no text nodes.

lxml keeps a text with what stands before it: as the `tail` of the node there, as the `text` of the
parent where there is none. Texts that come to stand side by side become one.
"""

from collections.abc import Sequence

from lxml import etree


def append(target: etree._Element, text: str, children: Sequence[etree._Element]) -> None:
    """Put a text and nodes behind all that an element holds."""
    _add_text(target, len(target), text)
    target.extend(children)


def prepend(target: etree._Element, text: str, children: Sequence[etree._Element]) -> None:
    """Put a text and nodes before all that an element holds."""
    rest, target.text = target.text or "", text or None
    for at, child in enumerate(children):
        target.insert(at, child)
    _add_text(target, len(children), rest)


def put_beside(
    node: etree._Element, text: str, children: Sequence[etree._Element], *, before: bool
) -> None:
    """Put a text and nodes before or behind a node, which is not the root."""
    parent = node.getparent()
    assert parent is not None
    at = parent.index(node)
    rest = ""
    if before:
        _add_text(parent, at, text)
    else:
        at += 1
        rest, node.tail = node.tail or "", text or None
    for offset, child in enumerate(children):
        parent.insert(at + offset, child)
    _add_text(parent, at + len(children), rest)


def _add_text(target: etree._Element, at: int, text: str) -> None:
    """Add a text before the child at a position, behind the text that stands there."""
    if not text:
        return
    if at == 0:
        target.text = (target.text or "") + text
    else:
        target[at - 1].tail = (target[at - 1].tail or "") + text
