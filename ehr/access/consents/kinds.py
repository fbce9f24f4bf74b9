"""Which Consents the record obeys, and which it only keeps.

R4 §6.2: the scope tells treatment, research, advance directives and privacy apart. Privacy is
obeyed, research as the purpose HRESCH; the others say nothing about access.
"""

from ehr.access.terms import Resource, codes, parts
from fhir_profiles.own_names import CONSENT_KIND, PROXY

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_OBEYED = frozenset({"patient-privacy", "research"})


def is_active(consent: Resource) -> bool:
    """Tell whether a Consent is in force, its period left aside."""
    return consent.get("status") == "active"


def is_proxy(consent: Resource) -> bool:
    """Tell whether a Consent lets somebody act for the patient."""
    return PROXY in codes(consent.get("category"), CONSENT_KIND)


def purpose(consent: Resource) -> str | None:
    """Return the purpose of use that a Consent is about, empty for any; None: not of access."""
    scopes = codes(consent.get("scope"), SCOPE)
    if _OBEYED.isdisjoint(scopes):
        return None
    return "" if "patient-privacy" in scopes else "HRESCH"


def names_access(consent: Resource) -> bool:
    """Tell whether the scope has a code that is obeyed, in whatever system."""
    return any(one.get("code") in _OBEYED for one in parts(consent.get("scope") or {}, "coding"))
