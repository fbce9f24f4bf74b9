"""Which patches ask about content: by whether they fit they tell what is there.

R4 §3.1.0.7. A JSON Patch asks by `test`, an XML Patch by a selector with a condition, a FHIRPath
Patch by a path that calls a function. `u` permits a patch; what it asks is read, and needs `r`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

# A number says which one of a list; anything else in brackets is a condition. What an entity or
# another encoding could hide is taken for one.
_XML_CONDITION = re.compile(rb"\[(?!\s*\d+\s*\])|&#|\0")


def asks(content: bytes) -> bool:
    """Tell whether a patch asks; what is no patch at all is refused elsewhere."""
    try:
        patch = json.loads(content)
    except (ValueError, RecursionError):
        return _XML_CONDITION.search(content) is not None or b"(" in content
    if isinstance(patch, list):
        return any(isinstance(one, dict) and one.get("op") == "test" for one in patch)
    if isinstance(patch, dict) and patch.get("resourceType") == "Parameters":
        return any("(" in path for path in _paths(patch))
    return False


def _paths(parameters: dict[str, Any]) -> Iterator[str]:
    for operation in _listed(parameters.get("parameter")):
        for part in _listed(operation.get("part")):
            if part.get("name") == "path":
                yield str(part.get("valueString"))


def _listed(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
