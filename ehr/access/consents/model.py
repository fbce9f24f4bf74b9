"""What Consents compile to: rules that take away, and what of a document can't be obeyed."""

from dataclasses import dataclass

from ehr.access.terms import ALWAYS, FOREVER
from fhir_profiles.facets import CONFIDENTIALITY

LOWEST, HIGHEST = 0, max(CONFIDENTIALITY.values())


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """One denial, or one exception to it: all that is said must be met. Empty: whatever.

    `group` numbers the denials of a Consent from 1: a row of the record is denied where a rule of a
    group meets it that is no exception, no exception of the same group and Consent does, and the
    rule does not spare it. Denials of several groups and Consents add up: a denial overrides.

    `actor`: whom it keeps out, as relationships name grantees; empty: everybody but the patient.
    `type`: of the row. `system`, `code`: a token among the row's category, code, type or class.
    `least`…`most`: its confidentiality; `sens`: any of these bits. `item`: `Type/id`.
    `purpose`: of the caller (v3-ActReason). [from_, to) in ms.
    `spares_authors`: the organisation that wrote a row keeps it; a block of persons spares nobody.
    `may_be_lifted`: by break-glass; a block of persons never is.
    No rule hides safeguarding from social workers or legal duties: who evaluates it knows roles.
    """

    group: int
    is_exception: bool = False
    actor: str = ""
    type: str = ""
    system: str = ""
    code: str = ""
    least: int = LOWEST
    most: int = HIGHEST
    sens: int = 0
    item: str = ""
    purpose: str = ""
    from_: int = ALWAYS
    to: int = FOREVER
    spares_authors: bool = True
    may_be_lifted: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a Consent can't be obeyed exactly: the FHIRPath of the element, and words for people."""

    expression: str
    text: str


class CannotObey(Exception):
    """An element says what no rule can: the whole Consent is refused, never obeyed by half."""

    def __init__(self, expression: str, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(expression, text)
