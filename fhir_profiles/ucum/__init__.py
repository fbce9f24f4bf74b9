"""UCUM units in base units, exactly: what makes 5.4 mg and 5400 ug one amount.

The Unified Code for Units of Measure, case sensitive. `definitions.py` reads the official table,
`expressions.py` the codes; nothing is read before the first code is asked for.
"""

from fhir_profiles.ucum.expressions import canonical
from fhir_profiles.ucum.unit import UCUM, Number, Unit, exact

__all__ = ["UCUM", "Number", "Unit", "canonical", "exact"]
