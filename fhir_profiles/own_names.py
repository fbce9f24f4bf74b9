"""Names that are this product's own: extensions, code systems and codes of its profiles.

One base for all canonical URLs, chosen once. It lies under a reserved domain, so that it is nobody
else's, and never says where a server runs.
"""

BASE = "https://shared-care-record.example.org/fhir"


def extension(name: str) -> str:
    """Return the URL of an extension of ours."""
    return f"{BASE}/StructureDefinition/{name}"


def code_system(name: str) -> str:
    """Return the URL of a code system of ours."""
    return f"{BASE}/CodeSystem/{name}"


# On a Consent or one of its provisions, valueBoolean: may an emergency lift what it denies?
BREAK_GLASS_ALLOWED = extension("breakGlassAllowed")
# In Resource.meta, valueDateTime or valueInstant: until then hidden from patient and carers.
RELEASE_TIME = extension("releaseTime")
# On a CarePlan: what the person whom it is for thinks of it.
AGREEMENT = extension("agreement")
# On a Consent, valueCode of PROXY_BASIS: by what right a carer acts.
BASIS = extension("proxyBasis")

# Consent.category: what kind of choice it is.
CONSENT_KIND = code_system("consent-kind")
SHARING, PROXY = "sharing", "proxy"

PROXY_BASIS = code_system("proxy-basis")
BY_CONSENT, BY_PARENT = "consent", "parental-responsibility"
BASES = frozenset(
    {BY_CONSENT, BY_PARENT, "lpa-health-welfare", "court-deputy", "guardianship", "best-interests"}
)

# Consent.provision.code and .action of a proxy: which parts of a record, and to do what.
PROXY_AREA = code_system("proxy-area")
PROXY_ACTION = code_system("proxy-action")
READ, WRITE = "read", "write"
ACTIONS = frozenset({READ, WRITE})

# Consent.provision.securityLabel: groups of data as patients know them.
PRIVACY_GROUP = code_system("privacy-group")

# meta.security: labels that HL7 has no code for.
SENSITIVITY = code_system("sensitivity")

# Organization.type: what an organisation of health, care or housing is.
ORGANIZATION_TYPE = code_system("organization-type")
PRACTICE = "practice"

# Task.code of what the server itself writes when somebody asks for access.
ACCESS = code_system("access")
DELEGATION, SELF_CLAIM, BREAK_GLASS = "delegation", "self-claim", "break-glass"
REVIEW = "break-glass-review"
# Task.input.type of a delegation: by which relationship the one who delegates has access.
HELD_BY = "held-by"
# Task.input.type of a review: why the patient is told later than others are.
DELAY_REASON = "delay-reason"
# Task.output.type of a review, and its code there: what it came to.
OUTCOME = "outcome"
REVIEW_OUTCOME = code_system("review-outcome")
JUSTIFIED, NOT_JUSTIFIED, NEEDS_DISCUSSION = "justified", "not-justified", "needs-discussion"
# Why somebody opens a record in an emergency, beside v3-ActReason.
EMERGENCY_REASON = code_system("emergency-reason")
