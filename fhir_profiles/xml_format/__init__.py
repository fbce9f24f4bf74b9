"""Read and write FHIR XML (FHIR R4 §2.6.1): dicts of the JSON shape in and out.

`parse` gives what `json_format.parse` gives for the same resource, `serialise` takes it back.
Does not validate: cardinality, codes and invariants are the validator's.
"""

from fhir_profiles.xml_format.reader import parse
from fhir_profiles.xml_format.writer import serialise

__all__ = ["parse", "serialise"]
