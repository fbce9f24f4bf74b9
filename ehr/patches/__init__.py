"""The four patch kinds of R4 §3.1.0.7 as pure functions on resources."""

MEDIA_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/xml-patch+xml",
    "application/fhir+json",
    "application/fhir+xml",
)
