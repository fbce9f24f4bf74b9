"""Terminology: which codes a value set has, and which concepts subsume which.

R4 §4.8 (CodeSystem), §4.9 (ValueSet). The one interface for searches and operations: `expand`,
`above`, `below`, `subsumes`. Definitions are those in the record that the caller may see, then
those of the R4 package. What they do not say is refused by name: filters, and code systems that
are neither in the record nor in the package.
"""

from ehr.terminology.hierarchies import above, below, subsumes
from ehr.terminology.source import Concept, Source
from ehr.terminology.value_sets import expand

__all__ = ["Concept", "Source", "above", "below", "expand", "subsumes"]
