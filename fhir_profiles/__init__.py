"""What FHIR R4 and our profiles say: definitions, formats, validation, FHIRPath; no SQL."""
