"""References of a resource: find them, read them, and change their texts in place.

FHIR R4 §2.3.0 (references), §3.1.0.11 (links of a transaction's entries). Does not resolve: which
rows a text means is the store's to say.
"""

from fhir_profiles.references.collection import ALL_KINDS, Found, collect
from fhir_profiles.references.literal import type_and_id
from fhir_profiles.references.rewriting import rewrite

__all__ = ["ALL_KINDS", "Found", "collect", "rewrite", "type_and_id"]
