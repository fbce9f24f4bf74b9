"""Which conditions lead to their rows by a list that was looked up beforehand.

Any other may be met by few rows or by most, and PostgreSQL must see the values to plan for them.
"""

from ehr.search.matching import MatchContext
from ehr.search.plan.criterion import is_looked_up
from ehr.search.request import AllOf, Chain, Condition, Criterion, Reverse


def leads(condition: Condition, context: MatchContext) -> bool:
    """Tell whether a condition is such a list."""
    match condition:
        case Chain() | Reverse():
            return True
        case AllOf():
            return any(leads(one, context) for one in condition.parts)
        case Criterion():
            return is_looked_up(condition, context)
        case _:
            return False
