"""From the bytes of a body to a Document: JSON as sent, XML converted, patches, raw content.

R4 §2.6 (formats), §3.1.0.6 (patch), §2.33 (Binary). Whether a resource keeps the rules of its type
is judged later, by the interaction.
"""

from typing import Any

from ehr.errors import FhirError, Invalid, UnsupportedMediaType
from ehr.messages import Document
from ehr.patches import MEDIA_TYPES as PATCH_TYPES
from ehr.rest import formats
from ehr.rest.formats import FHIR_TYPES
from fhir_profiles import definitions, json_format, xml_format
from fhir_profiles.issues import InvalidDocument

JSON_PATCH, MERGE_PATCH, XML_PATCH, *_ = PATCH_TYPES

_JSON = "application/json"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_resource(body: bytes, content_type: str, depth: int) -> Document:
    """Return the document of a body that must be one resource."""
    if not body:
        raise Invalid("The body is empty. Send one resource.", code="required")
    found = formats.content_format(content_type) if content_type else None
    if found is None:
        named = f"`{content_type[:80]}`" if content_type else "without a Content-Type"
        raise UnsupportedMediaType(
            f"A body {named} is not read here. Send Content-Type: {formats.FHIR_JSON} "
            f"or {formats.FHIR_XML}.",
            headers=(("Accept", ", ".join(sorted(FHIR_TYPES))),),
        )
    document = _from_xml(body, depth) if found == "xml" else _from_json(body, depth)
    _check_is_resource(document.resource)
    return document


def read_patch(body: bytes, content_type: str, depth: int) -> Document:
    """Return the document of a PATCH: JSON Patch, merge patch, XML Patch or Parameters."""
    name = formats.read_content_type(content_type).name
    if not body:
        raise Invalid("The body is empty. Send a patch.", code="required")
    if name in (JSON_PATCH, MERGE_PATCH, _JSON):
        parsed = _from_json(body, depth)
        kind = _json_kind(parsed.resource) if name == _JSON else name
        return Document(parsed.raw, parsed.resource, kind)
    if name == XML_PATCH:
        return Document(body, None, XML_PATCH)
    if name in FHIR_TYPES:
        return read_resource(body, content_type, depth)
    raise UnsupportedMediaType(
        f"`{name[:80]}` is no patch format. Send one of {', '.join(PATCH_TYPES)}.",
        headers=(("Accept-Patch", ", ".join(PATCH_TYPES)),),
    )


def _json_kind(patch: Any) -> str:
    """Return what a patch of no named kind is: many clients send each under the plain name."""
    if isinstance(patch, list):
        return JSON_PATCH
    is_parameters = isinstance(patch, dict) and patch.get("resourceType") == "Parameters"
    return formats.FHIR_JSON if is_parameters else MERGE_PATCH


def read_binary(body: bytes, content_type: str, depth: int) -> Document:
    """Return a Binary resource, or raw content of any media type as it was sent."""
    name = formats.read_content_type(content_type).name if content_type else ""
    if name in FHIR_TYPES:
        return read_resource(body, content_type, depth)
    if formats.content_format(content_type) == "json" and b'"Binary"' in body:
        sent = _binary_resource(body, depth)
        if sent is not None:
            return sent
    return Document(body, None, _kept_type(content_type))


def _kept_type(content_type: str) -> str:
    kept = content_type.strip()
    if not kept:
        return "application/octet-stream"
    if len(kept) > 255 or not kept.isascii() or not kept.isprintable() or "/" not in kept:
        raise UnsupportedMediaType("Content-Type is no media type. Write it like image/png.")
    return kept


def _binary_resource(body: bytes, depth: int) -> Document | None:
    """Return the Binary that a client sent under a generic JSON name, None for other JSON."""
    try:
        document = _from_json(body, depth)
    except InvalidDocument:
        return None
    resource = document.resource
    is_binary = isinstance(resource, dict) and resource.get("resourceType") == "Binary"
    return document if is_binary else None


def _from_json(body: bytes, depth: int) -> Document:
    raw = body.removeprefix(_BYTE_ORDER_MARK)
    return Document(raw, json_format.parse(raw, max_depth=depth))


def _from_xml(body: bytes, depth: int) -> Document:
    resource = xml_format.parse(body, max_depth=depth)
    return Document(json_format.serialise(resource), resource)


def _check_is_resource(resource: Any) -> None:
    if not isinstance(resource, dict):
        raise _no_resource("The body is no JSON object. Send one resource.", "structure")
    type = resource.get("resourceType")
    if not isinstance(type, str):
        raise _no_resource('The resource has no "resourceType". Name its type.', "required")
    if not definitions.is_resource_type(type):
        raise _no_resource(f"`{type[:80]}` is no resource type of R4.", "value")


def _no_resource(text: str, code: str) -> FhirError:
    return Invalid(text, code=code)
