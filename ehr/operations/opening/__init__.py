"""Operations that open access, give it to a colleague, review that, and tell who had it.

`break_glass.py`, `claim.py`, `delegate.py`, `review.py` and `access_at.py` are the operations; what
they are asked is read by `values.py`, by a caller of `calling.py`. `gate.py` and `colleagues.py`
say whom they may be about, `documents/` is what they write, and `writing.py` writes it.
"""

from ehr.operations.opening.access_at import access_at
from ehr.operations.opening.break_glass import break_glass
from ehr.operations.opening.claim import claim_relationship
from ehr.operations.opening.delegate import delegate
from ehr.operations.opening.review import review

__all__ = ["access_at", "break_glass", "claim_relationship", "delegate", "review"]
