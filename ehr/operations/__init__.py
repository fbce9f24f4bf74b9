"""One file per operation (R4 §3.2): `OPERATIONS` names what the pipeline dispatches."""

from collections.abc import Callable, Mapping

from auth.principal import Principal
from ehr.messages import Interaction, Result
from ehr.record import Record

Operation = Callable[[Record, Principal, Interaction], Result]

OPERATIONS: Mapping[str, Operation] = {}
