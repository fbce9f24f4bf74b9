"""JSON Pointer (RFC 6901) and its translation to a FHIRPath location."""

from typing import Any


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """Split a pointer into its tokens; ValueError when it is no pointer."""
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise ValueError("a JSON Pointer is empty or starts with /")
    return tuple(map(_unescape, pointer[1:].split("/")))


def array_index(name: str, size: int) -> int | None:
    """Read an array index below `size`; None when it is none. Leading zeros are not allowed."""
    if not (name.isascii() and name.isdecimal()) or (name[0] == "0" and len(name) > 1):
        return None
    # A name of a thousand digits is no index and is not worth converting.
    return int(name) if len(name) < 10 and int(name) < size else None


def fhirpath_of(document: Any, tokens: tuple[str, ...]) -> str:
    """Write a pointer into a resource as a FHIRPath location: `Patient.name[0].family`."""
    root = document.get("resourceType") if isinstance(document, dict) else None
    path = root if isinstance(root, str) else ""
    for name in tokens:
        if name.isascii() and name.isdecimal():
            path += f"[{name}]"
        elif name != "-":
            path += f".{name}" if path else name
    return path


def _unescape(token: str) -> str:
    plain = token.replace("~1", "").replace("~0", "")
    if "~" in plain:
        raise ValueError("in a JSON Pointer ~ is written ~0, and / inside a name ~1")
    return token.replace("~1", "/").replace("~0", "~")
