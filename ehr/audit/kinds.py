"""What can happen, one line each: its number in the table, and its codes by IHE BALP 1.1.

Numbers are never used again. Types and subtypes are those of R4's value sets where these have one
(DICOM PS3.16 CID 400 and 401, restful-interaction), else of BALP or of our own code system.
"""

from dataclasses import dataclass
from enum import IntEnum, unique

DCM = "http://dicom.nema.org/resources/ontology/DCM"
RESTFUL = "http://hl7.org/fhir/restful-interaction"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
AUTHZ = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
OWN = "urn:ehr:audit-event"

Code = tuple[str, str, str]  # system, code, display


@unique
class Kind(IntEnum):
    """What happened. `ENTRY_REFUSED` is an entry of a batch that access denied."""

    READ = 1
    VREAD = 2
    SEARCH = 3
    HISTORY = 4
    CREATE = 5
    UPDATE = 6
    PATCH = 7
    DELETE = 8
    OPERATION = 9
    BATCH = 10
    TRANSACTION = 11
    CAPABILITIES = 12
    ENTRY_REFUSED = 13
    REFUSED = 14
    SIGN_IN = 20
    SIGN_OUT = 21
    SIGN_IN_FAILED = 22
    TOKEN_ISSUED = 23
    TOKEN_REFRESHED = 24
    TOKEN_REVOKED = 25
    APP_APPROVED = 26
    CLIENT_CHANGED = 27
    USER_CHANGED = 28
    CONSENT_CHANGED = 30
    PROXY_CHANGED = 31
    LABEL_CHANGED = 32
    POLICY_CHANGED = 33
    CONSENT_DECISION = 34
    BREAK_GLASS = 35
    BREAK_GLASS_REVIEWED = 36
    AUDIT_READ = 40
    EXPORT_STARTED = 41
    EXPORT_FINISHED = 42
    EXPORT_DOWNLOADED = 43
    NOTIFICATION_SENT = 44
    IMPORTED = 45
    FOREIGN = 50


@dataclass(frozen=True, slots=True)
class Coding:
    """How a kind is coded: AuditEvent.type, subtype and action (C, R, U, D or E).

    `reads`: what goes out is data, so that the server is its source and the client receives it.
    """

    type: Code
    subtype: Code
    action: str
    reads: bool = False


_REST: Code = (EVENT_TYPE, "rest", "Restful Operation")
_AUTHENTICATION: Code = (DCM, "110114", "User Authentication")
_ALERT: Code = (DCM, "110113", "Security Alert")
_LOG_USED: Code = (DCM, "110101", "Audit Log Used")
_EXPORT: Code = (DCM, "110106", "Export")
_ATTRIBUTES: Code = (DCM, "110137", "User Security Attributes Changed")
_OBJECT: Code = (DCM, "110135", "Object Security Attributes Changed")
_DISCLOSED: Code = (LIFECYCLE, "disclose", "Disclose Record Lifecycle Event")


def _rest(code: str, action: str, *, reads: bool = False) -> Coding:
    return Coding(_REST, (RESTFUL, code, code), action, reads)


def _own(type: Code, code: str, display: str, action: str) -> Coding:
    return Coding(type, (OWN, code, display), action)


CODINGS: dict[Kind, Coding] = {
    Kind.READ: _rest("read", "R", reads=True),
    Kind.VREAD: _rest("vread", "R", reads=True),
    Kind.SEARCH: _rest("search", "E"),
    Kind.HISTORY: _rest("history", "R", reads=True),
    Kind.CREATE: _rest("create", "C"),
    Kind.UPDATE: _rest("update", "U"),
    Kind.PATCH: _rest("patch", "U"),
    Kind.DELETE: _rest("delete", "D"),
    Kind.OPERATION: _rest("operation", "E"),
    Kind.BATCH: _rest("batch", "E"),
    Kind.TRANSACTION: _rest("transaction", "E"),
    Kind.CAPABILITIES: _rest("capabilities", "R", reads=True),
    Kind.ENTRY_REFUSED: Coding(_REST, (RESTFUL, "batch", "batch"), "E"),
    Kind.REFUSED: Coding(_ALERT, (DCM, "110132", "Use of Restricted Function"), "E"),
    Kind.SIGN_IN: Coding(_AUTHENTICATION, (DCM, "110122", "Login"), "E"),
    Kind.SIGN_OUT: Coding(_AUTHENTICATION, (DCM, "110123", "Logout"), "E"),
    Kind.SIGN_IN_FAILED: Coding(_AUTHENTICATION, (DCM, "110122", "Login"), "E"),
    Kind.TOKEN_ISSUED: _own(_AUTHENTICATION, "token-issued", "Token issued", "C"),
    Kind.TOKEN_REFRESHED: _own(_AUTHENTICATION, "token-refreshed", "Token refreshed", "U"),
    Kind.TOKEN_REVOKED: _own(_AUTHENTICATION, "token-revoked", "Token revoked", "D"),
    Kind.APP_APPROVED: _own(_ALERT, "app-approved", "App approved by a person", "C"),
    Kind.CLIENT_CHANGED: _own(_ALERT, "client-changed", "Client changed", "U"),
    Kind.USER_CHANGED: Coding(_ALERT, _ATTRIBUTES, "U"),
    Kind.CONSENT_CHANGED: Coding(_ALERT, _OBJECT, "U"),
    Kind.PROXY_CHANGED: Coding(_ALERT, (DCM, "110136", "Security Roles Changed"), "U"),
    Kind.LABEL_CHANGED: Coding(_ALERT, _OBJECT, "U"),
    Kind.POLICY_CHANGED: Coding(_ALERT, (DCM, "110129", "Security Configuration"), "U"),
    Kind.CONSENT_DECISION: Coding(_ALERT, (AUTHZ, "AuthZ-Consent", "Consent decision"), "E"),
    Kind.BREAK_GLASS: Coding(_ALERT, (DCM, "110127", "Emergency Override Started"), "E"),
    Kind.BREAK_GLASS_REVIEWED: _own(_ALERT, "override-reviewed", "Override reviewed", "U"),
    Kind.AUDIT_READ: Coding(_LOG_USED, (RESTFUL, "read", "read"), "R", True),
    Kind.EXPORT_STARTED: _own(_EXPORT, "export-started", "Export started", "E"),
    Kind.EXPORT_FINISHED: _own(_EXPORT, "export-finished", "Export finished", "E"),
    Kind.EXPORT_DOWNLOADED: Coding(_EXPORT, _DISCLOSED, "R", True),
    Kind.NOTIFICATION_SENT: Coding(_EXPORT, (OWN, "notification", "Notification sent"), "R", True),
    Kind.IMPORTED: _own((DCM, "110107", "Import"), "restored", "Record restored", "C"),
    Kind.FOREIGN: _own(_REST, "foreign", "Event of another system", "E"),
}
