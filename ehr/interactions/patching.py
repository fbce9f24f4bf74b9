"""The patched resource of a PATCH: the kind of patch is told by its media type (R4 §3.1.0.7).

The result is judged as an update would be: 400 where it breaks R4. 422 is for a patch that does not
fit the resource.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ehr.errors import FhirError, Invalid, Unprocessable, UnsupportedMediaType
from ehr.interactions import content
from ehr.interactions.changes import Change
from ehr.interactions.drafting import checked, make, raw_of, resource_of
from ehr.interactions.preconditions import check_patchable
from ehr.messages import Document, Resource
from ehr.patches import MEDIA_TYPES, fhirpath_patch, json_patch, merge_patch, xml_patch
from ehr.record import Record
from ehr.store.drafts import Current, Draft
from fhir_profiles import json_format, xml_format
from fhir_profiles.issues import InvalidDocument, Issue


def patched(record: Record, change: Change, found: Current | None) -> Draft:
    """Return the draft of a resource with the patch applied. Raises what the patch kind raises."""
    row = check_patchable(change, found)
    if change.edit is not None:
        return _edited(record, change.edit, row)
    try:
        return _patched(record, change, row)
    except InvalidDocument as error:  # the patch itself, out of the Binary of an entry
        raise Invalid(str(error), issues=_placed(error.issues, change.expression)) from error
    except FhirError as error:
        issues = _placed(error.issues, change.expression)
        raise type(error)(str(error), issues=issues, headers=error.headers) from error


def _placed(issues: Sequence[Issue], at: str) -> list[Issue]:
    """Return the issues told of the entry that the patch came in; its text keeps their places."""
    if not at:
        return list(issues)
    return [replace(one, expression=at, diagnostics=_with_place(one)) for one in issues]


def _with_place(issue: Issue) -> str:
    if not issue.expression or issue.expression in issue.diagnostics:
        return issue.diagnostics
    return f"{issue.expression}: {issue.diagnostics}"


def _patched(record: Record, change: Change, row: Current) -> Draft:
    assert change.document is not None
    before = content.to_patch(record, row)
    after = _apply(record, before, change.document)
    if after.get("resourceType") != row.type or after.get("id") != row.id:
        raise Unprocessable(
            "A patch can't change the type or the id of a resource.",
            code="business-rule",
            expression=f"{row.type}.id",
        )
    raw = json_format.serialise(after)
    checked(record, Document(raw, after), row.type)
    if raw == json_format.serialise(before):
        # Nothing changed, so nothing is to be written.
        return make(record, resource_of(row), raw_of(row), blob_id=row.blob_id)
    stored, blob_id = content.after_patch(before, after, row)
    if stored is not after:
        raw = json_format.serialise(stored)
    return make(record, stored, raw, blob_id=blob_id)


def _edited(record: Record, edit: Callable[[Document], Document], row: Current) -> Draft:
    """Return the draft of a version that was changed in part, the other bytes as they were."""
    after = edit(Document(raw_of(row), resource_of(row)))
    checked(record, after, row.type)
    return make(record, after.resource, after.raw, blob_id=row.blob_id)


def _apply(record: Record, resource: Resource, patch: Document) -> Resource:
    kind, limit = patch.media_type, record.settings.depth_limit
    if kind == "application/json-patch+json":
        return json_patch.apply(resource, _json(patch, limit), max_depth=limit)
    if kind in ("application/merge-patch+json", "application/json-merge-patch+json"):
        return merge_patch.apply(resource, _json(patch, limit), max_depth=limit)
    if kind in ("application/xml-patch+xml", "application/patch+xml"):
        return _apply_xml(resource, patch.raw, limit)
    if kind == "application/fhir+xml" and patch.resource is None:
        parameters = xml_format.parse(patch.raw, max_depth=limit)
        return fhirpath_patch.apply(resource, parameters, max_depth=limit)
    if kind in ("application/fhir+json", "application/fhir+xml"):
        return fhirpath_patch.apply(resource, _json(patch, limit), max_depth=limit)
    raise UnsupportedMediaType(
        f"`{kind}` is no patch format of this server. Use one of: {', '.join(MEDIA_TYPES)}."
    )


def _json(patch: Document, limit: int) -> Any:
    if patch.resource is not None:
        return patch.resource
    return json_format.parse(patch.raw, max_depth=limit)


def _apply_xml(resource: Resource, patch: bytes, limit: int) -> Resource:
    after = xml_patch.apply(xml_format.serialise(resource), patch)
    return xml_format.parse(after, max_depth=limit)
