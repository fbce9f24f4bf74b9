"""Security labels of a resource as the columns that access asks: `conf`, `sens`, `release_at`.

What they mean and where they stand: `fhir_profiles/facets.py`.
"""

from ehr.messages import Instant, Resource
from ehr.store.dates import first_millisecond
from fhir_profiles.facets import CONFIDENTIALITY, NORMAL, SENSITIVITY, labels, release_times

__all__ = ["CONFIDENTIALITY", "NORMAL", "SENSITIVITY", "labels", "release_at"]

# What can't be read as a time never comes.
NEVER = 253_402_300_800_000  # the first moment of the year 10000


def release_at(resource: Resource) -> Instant | None:
    """Return from when the patient may see a resource, in ms: the last time that it names."""
    times = [first_millisecond(text) for text in release_times(resource)]
    return max((NEVER if time is None else time for time in times), default=None)
