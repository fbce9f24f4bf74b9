"""One file per operation (R4 §3.2): `OPERATIONS` names what the pipeline dispatches."""

from collections.abc import Callable, Mapping

from auth.principal import Principal
from ehr.messages import Interaction, Result
from ehr.operations.everything import everything
from ehr.operations.match import match
from ehr.operations.meta import meta
from ehr.operations.meta_change import meta_add, meta_delete
from ehr.operations.opening import access_at, break_glass, claim_relationship, delegate, review
from ehr.operations.reindex import reindex, reindex_status
from ehr.operations.validate import validate
from ehr.record import Record

Operation = Callable[[Record, Principal, Interaction], Result]

OPERATIONS: Mapping[str, Operation] = {
    "access-at": access_at,
    "break-glass": break_glass,
    "claim-relationship": claim_relationship,
    "delegate": delegate,
    "everything": everything,
    "match": match,
    "meta": meta,
    "meta-add": meta_add,
    "meta-delete": meta_delete,
    "reindex": reindex,
    "reindex-status": reindex_status,
    "review": review,
    "validate": validate,
}
