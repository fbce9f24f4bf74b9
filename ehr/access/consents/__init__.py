"""What patients say about their record: Consents as rules, and what they permit to carers."""

from ehr.access.consents.areas import AREAS, permitted_types
from ehr.access.consents.compiled import compiled, problems, rules_of
from ehr.access.consents.model import ConsentRule, Problem
from ehr.access.consents.proxies import Proxy, proxies

__all__ = [
    "AREAS",
    "ConsentRule",
    "Problem",
    "Proxy",
    "compiled",
    "permitted_types",
    "problems",
    "proxies",
    "rules_of",
]
