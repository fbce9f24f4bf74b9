"""The FHIR error tree. Raised where a fault is known, turned into an OperationOutcome at the edge.

    FhirError
    ├── Invalid 400              ├── PreconditionFailed 412
    ├── Unauthenticated 401      ├── TooLarge 413
    ├── Forbidden 403            ├── UnsupportedMediaType 415
    ├── NotFound 404             ├── Unprocessable 422
    ├── NotAllowed 405           ├── Throttled 429
    ├── NotAcceptable 406        ├── TooCostly 403 (too-costly)
    ├── TimedOut 408             ├── Busy 503
    ├── Conflict 409             ├── Unsupported 501
    ├── Gone 410                 ├── LengthRequired 411
    └── PreconditionRequired 428

Status and issue code follow R4 §3.1.0.1.5 and the issue-type value set. Texts say what is wrong,
where, and what to do; they never carry record content.
"""

from collections.abc import Sequence
from dataclasses import replace

from fhir_profiles.issues import Issue

# Ends the refusal of what is not known, wherever lenient handling would pass over it.
PASSED_OVER = "`Prefer: handling=lenient` would pass over it."


class FhirError(Exception):
    """A refusal with its HTTP status and one or more issues."""

    status = 500
    code = "exception"

    def __init__(
        self,
        diagnostics: str,
        *,
        code: str | None = None,
        expression: str = "",
        issues: Sequence[Issue] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(diagnostics)
        self.issues = tuple(issues) or (Issue(code or self.code, diagnostics, expression),)
        self.headers = tuple(headers)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.issues, self.headers)


def _rebuild(
    kind: type[FhirError], issues: tuple[Issue, ...], headers: tuple[tuple[str, str], ...]
) -> FhirError:
    return kind(issues[0].diagnostics, issues=issues, headers=headers)


def located(error: FhirError, at: str) -> FhirError:
    """Return the same refusal with its place in a Bundle; alone (`at` empty) it is as it was."""
    if not at:
        return error
    issues = [replace(issue, expression=at) for issue in error.issues]
    return type(error)(str(error), issues=issues, headers=error.headers)


class Invalid(FhirError):
    status, code = 400, "invalid"


class Unauthenticated(FhirError):
    status, code = 401, "login"


class Forbidden(FhirError):
    status, code = 403, "forbidden"


def lacking(reason: str, scope: str, expression: str = "") -> Forbidden:
    """Return the refusal of what a scope would have permitted (RFC 6750 §3.1), if one would."""
    value = f'Bearer realm="fhir", error="insufficient_scope", scope="{scope}"'
    headers = (("WWW-Authenticate", value),) if scope else ()
    return Forbidden(reason, expression=expression, headers=headers)


class TooCostly(FhirError):
    status, code = 403, "too-costly"


class NotFound(FhirError):
    status, code = 404, "not-found"


class NotAllowed(FhirError):
    status, code = 405, "not-supported"


class NotAcceptable(FhirError):
    status, code = 406, "not-supported"


class TimedOut(FhirError):
    status, code = 408, "timeout"


class Conflict(FhirError):
    status, code = 409, "conflict"


class Gone(FhirError):
    status, code = 410, "deleted"


class LengthRequired(FhirError):
    status, code = 411, "required"


class PreconditionFailed(FhirError):
    status, code = 412, "conflict"


class PreconditionRequired(FhirError):
    status, code = 428, "required"


class TooLarge(FhirError):
    status, code = 413, "too-long"


class UnsupportedMediaType(FhirError):
    status, code = 415, "not-supported"


class Unprocessable(FhirError):
    status, code = 422, "processing"


class Throttled(FhirError):
    status, code = 429, "throttled"


class Unsupported(FhirError):
    status, code = 501, "not-supported"


class Busy(FhirError):
    status, code = 503, "transient"
