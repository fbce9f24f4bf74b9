"""For what a token is used: the purpose of use that is in force with it (HL7 v3-ActReason).

Professionals use the record to treat, patients and carers because they ask for it. A backend
service has the purpose that its operator registered. A purpose is told, not judged: what may be
seen is the matter of scopes and access.
"""

from fhir_profiles.own_codes import ACT_REASON

SYSTEM = ACT_REASON
OF_KIND = {"professional": "TREAT", "patient": "PATRQT", "carer": "PATRQT"}
# What backend services are registered for. ETREAT is none: an emergency is of one moment.
OF_SERVICES = {
    "TREAT": "treatment",
    "CAREMGT": "care management",
    "HOPERAT": "healthcare operations",
    "HQUALIMP": "quality improvement",
    "HPAYMT": "payment",
    "HRESCH": "research",
    "PUBHLTH": "public health",
    "SYSADMN": "system administration",
}
# All that a token may have; what is done in an emergency is told so beside it.
KNOWN = frozenset({*OF_KIND.values(), *OF_SERVICES})
# While somebody has a record open in an emergency, for all that they do in that record.
EMERGENCY = "BTG"
# Nobody said that it treats anybody.
DEFAULT = "HOPERAT"
