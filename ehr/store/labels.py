"""Security labels of a resource as the columns that access asks: `conf` and `sens`.

What they mean and where they stand: `fhir_profiles/facets.py`.
"""

from fhir_profiles.facets import CONFIDENTIALITY, NORMAL, SENSITIVITY, labels

__all__ = ["CONFIDENTIALITY", "NORMAL", "SENSITIVITY", "labels"]
