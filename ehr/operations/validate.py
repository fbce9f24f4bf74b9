"""$validate (R4 §3.2.0.1): what is wrong with a resource, and whether a change would be taken.

Answers 200 with an OperationOutcome whether or not all is well. With a mode, the change is carried
out and taken back, so that the answer knows every rule that the change itself would meet. Checks
the base definitions of R4; another profile can't be judged yet and is refused.
"""

from dataclasses import dataclass

from auth.principal import Principal
from ehr.errors import Invalid, Unprocessable
from ehr.interactions.drafting import is_tolerant
from ehr.interactions.read import present
from ehr.interactions.rehearsal import rehearsed
from ehr.messages import Document, Interaction, Resource, Result, replace
from ehr.operations import given
from ehr.outcome import operation_outcome
from ehr.record import Record
from fhir_profiles import json_format
from fhir_profiles.definitions import base_types
from fhir_profiles.issues import Issue
from fhir_profiles.validator import validate_as

_MODES = ("create", "update", "delete", "profile")
_BASE = "http://hl7.org/fhir/StructureDefinition/"
_FAULTS = ("error", "fatal")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be validated; `document` None stands for the resource in the address."""

    document: Document | None
    mode: str | None
    profile: str | None


def validate(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Return an OperationOutcome with all issues, or one that says there are none."""
    asked = _asked(interaction)
    if asked.mode == "delete":
        present(record, principal, interaction)
        issues = rehearsed(record, principal, interaction, "delete")
    else:
        issues = _content(record, principal, interaction, asked)
    outcome = operation_outcome(issues or [_all_well(asked)])
    return Result(status=200, body=json_format.serialise(outcome))


def _asked(interaction: Interaction) -> _Asked:
    document = interaction.document
    pairs, wrapped = interaction.params, None
    if document is not None and _is_wrapper(interaction, document):
        wrapped = [one for one in given.named(document.resource) if one["name"] == "resource"]
        rest = [one for one in given.named(document.resource) if one["name"] != "resource"]
        frame = Document(b"", {"resourceType": "Parameters", "parameter": rest})
        pairs = given.texts(replace(interaction, document=frame), ("mode", "profile"))
    else:
        pairs = given.texts(replace(interaction, document=None), ("mode", "profile"))
    if wrapped is not None:
        document = _unwrapped(wrapped)
    asked = _Asked(document, given.single(pairs, "mode"), given.single(pairs, "profile"))
    _check(interaction, asked)
    return asked


def _is_wrapper(interaction: Interaction, document: Document) -> bool:
    """Tell whether the body is the operation's own Parameters, not one to be validated."""
    resource = document.resource
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        return False
    return interaction.type != "Parameters" or any(
        one["name"] == "resource" for one in given.named(resource)
    )


def _unwrapped(wrapped: list[Resource]) -> Document | None:
    if not wrapped:
        return None
    resource = wrapped[0].get("resource")
    if len(wrapped) > 1 or not isinstance(resource, dict):
        raise Invalid(
            "The parameter `resource` comes once and holds a resource.",
            code="structure",
            expression="Parameters.parameter.where(name = 'resource')",
        )
    return Document(json_format.serialise(resource), resource)


def _check(interaction: Interaction, asked: _Asked) -> None:
    """Raise Invalid where the question itself makes no sense."""
    if asked.mode is not None and asked.mode not in _MODES:
        raise Invalid(
            f"`{asked.mode[:40]}` is no mode. Possible: {', '.join(_MODES)}, or none.",
            code="value",
            expression="mode",
        )
    if asked.mode in ("update", "delete") and interaction.id is None:
        raise Invalid(
            f"Mode {asked.mode} speaks of one resource: call [type]/[id]/$validate.",
            expression="mode",
        )
    if asked.mode == "profile" and asked.profile is None:
        raise Invalid("Mode profile needs a `profile`.", code="required", expression="profile")
    if asked.document is None and (interaction.id is None or asked.mode in ("create", "update")):
        raise Invalid(
            "There is nothing to validate. Send a resource, or Parameters with a `resource`.",
            code="required",
        )


def _content(
    record: Record, principal: Principal, interaction: Interaction, asked: _Asked
) -> list[Issue]:
    type = interaction.type
    assert type is not None
    resource = (
        asked.document.resource
        if asked.document is not None
        else json_format.reparse(present(record, principal, interaction).json())
    )
    if asked.profile is not None:
        _check_profile(type, asked.profile)
    issues = validate_as(resource, type, tolerant=is_tolerant(record))
    if asked.mode in ("create", "update") and not any(one.severity in _FAULTS for one in issues):
        sent = replace(interaction, document=asked.document, params=())
        issues += rehearsed(record, principal, sent, asked.mode)
    return issues


def _check_profile(type: str, profile: str) -> None:
    name = profile.removesuffix("|4.0.1").removeprefix(_BASE)
    if not profile.startswith(_BASE) or name not in (type, *base_types(type)):
        raise Unprocessable(
            f"The profile `{profile[:200]}` is not known here, so nothing can be said about it. "
            f"Known for {type}: {_BASE}{type}.",
            code="not-supported",
            expression="profile",
        )


def _all_well(asked: _Asked) -> Issue:
    what = f"A {asked.mode} would be accepted" if asked.mode in _MODES[:3] else "No issues"
    text = f"{what}. Checked against the base definitions of R4 4.0.1."
    claimed = _claimed_profiles(asked.document.resource) if asked.document else []
    if claimed:
        text += f" Profiles that the resource claims were not checked: {', '.join(claimed)}."
    return Issue("informational", text, severity="information")


def _claimed_profiles(resource: Resource) -> list[str]:
    profiles = resource.get("meta", {}).get("profile", [])
    return [one for one in profiles if not one.startswith(_BASE)]
