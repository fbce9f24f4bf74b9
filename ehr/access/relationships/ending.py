"""When a relationship ends whose source is over: a while after, and never later by a rewrite."""

from dataclasses import replace

from ehr.access.relationships.kinds import Relationship, Source
from ehr.access.terms import FOREVER


def over(source: Source, made: Relationship, stated: int | None, after: int) -> Relationship | None:
    """Return a relationship whose source has ended; None where it opens nothing any more.

    It ends `after` the time that the source states, which is never in the future, or after the
    write that ended it. What came as ended without a time never opens. A rewrite of what was over
    before makes no end later, and none opens more than before.
    """
    known = [one for one in source.before if one.kind == made.kind]
    same = [one for one in known if one.grantee == made.grantee and one.basis == made.basis]
    was_over = [one.to for one in same if one.ended]
    limits = was_over or [one.to for one in known if one.ended]
    if stated is not None:
        end = min(stated, source.at) + after
    elif same:
        end = max(was_over, default=source.at + after)
    else:
        return None
    end = min(end, max(limits, default=FOREVER), FOREVER)
    ceiling = min([made.ceiling, max((one.ceiling for one in same), default=made.ceiling)])
    if end <= made.from_:
        return None
    return replace(made, to=end, ceiling=ceiling, ended=True)
