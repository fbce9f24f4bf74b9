"""The maintainers' command that condenses the official R4 package to the data we commit.

`python -m fhir_profiles.condense PACKAGE.tgz` reads the FHIR package `hl7.fhir.r4.core` (CC0) and
writes `fhir_profiles/r4/core/`. The output depends on the package only: the same bytes every time.
Users never run it; the record reads the condensed files.
"""
