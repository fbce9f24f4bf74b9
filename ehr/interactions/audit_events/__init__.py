"""Events of the audit trail over FHIR: read, searched, and added by other systems."""
