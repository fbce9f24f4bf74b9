"""What is raised where an event can't be made safe: the request that it tells of must fail too."""

from ehr.errors import Busy


class AuditFailed(Busy):
    """The event is not safe (503, transient). Its cause is chained; callers are not told it."""

    def __init__(self) -> None:
        super().__init__(
            "What you asked for can't be recorded at the moment, so it is not answered. "
            "Send the request again later."
        )

    def __reduce__(self) -> tuple[object, ...]:
        return AuditFailed, ()
