"""FHIRPath N1 for FHIR R4: parsed once, compiled to Python closures, exact and bounded.

FHIRPath N1 (ANSI/HL7 NMN R1-2020) with FHIR R4 §2.9 "FHIRPath". The engine reads parsed JSON with
`decimal.Decimal` numbers and knows the R4 model. `lexer` → `parser` → `syntax` → `compiler`;
`functions/` holds one module per chapter. Does not fetch: `resolve()` asks the caller.
"""

from .errors import FhirPathError, FhirPathSyntaxError
from .expression import Expression, compile
from .nodes import Node, location

__all__ = [
    "Expression",
    "FhirPathError",
    "FhirPathSyntaxError",
    "Node",
    "compile",
    "location",
]
