"""Conditional headers on writes and reads (R4 §3.1.0.5, RFC 9110 §13)."""

from auth.elements import needs_if_match
from ehr.errors import Gone, NotAllowed, NotFound, PreconditionFailed, PreconditionRequired
from ehr.interactions.changes import Change
from ehr.messages import Instant, Interaction, Preconditions
from ehr.record import Record
from ehr.store.drafts import Current, Method


def check_write(change: Change, row: Current | None) -> None:
    """Raise PreconditionFailed where a conditional header speaks against the write."""
    there = row is not None and not row.deleted
    wanted = change.preconditions.if_match
    if wanted and not (there and row is not None and _matches(wanted, row.version)):
        now = f"it is at version {row.version}" if there and row else "it is not there"
        raise PreconditionFailed(
            f"{_name(change, row)} is not at version {', '.join(wanted)}: {now}. "
            "Read it, put your change on top of that and send it with the new ETag.",
            expression=change.expression,
            headers=(("ETag", f'W/"{row.version}"'),) if there and row else (),
        )
    if there and row is not None:
        refuse_changed(change.preconditions, row.type, row.id, row.last_updated, change.expression)
    unwanted = change.preconditions.if_none_match
    if unwanted and there and row is not None and _matches(unwanted, row.version):
        raise PreconditionFailed(
            f"{change.type}/{row.id} is already there, and If-None-Match asked for it not to be.",
            expression=change.expression,
        )


def demand_if_match(change: Change, row: Current | None) -> None:
    """Raise PreconditionRequired where several write a resource at once and If-Match is missing."""
    if row is None or row.deleted or change.preconditions.if_match:
        return
    if needs_if_match(change.type):
        etag = f'W/"{row.version}"'
        raise PreconditionRequired(
            f"Several people write {change.type} at once: say by If-Match which one you change. "
            f"{change.type}/{row.id} is at {etag}. Read it, put your change on top of that "
            "and send it with that ETag.",
            code="required",
            expression=change.expression or change.type,
            headers=(("ETag", etag),),
        )


def _name(change: Change, row: Current | None) -> str:
    if change.id is None and row is None:
        return f"The {change.type} that the condition asks for"
    return f"{change.type}/{row.id if row else change.id}"


def check_read(interaction: Interaction, version: int, last_updated: Instant) -> None:
    """Raise PreconditionFailed where another version is asked for than is to be read."""
    wanted = interaction.preconditions.if_match
    if wanted and not _matches(wanted, version):
        raise PreconditionFailed(
            f"{interaction.type}/{interaction.id} is not at version {', '.join(wanted)}: it is at "
            f"version {version}. Leave If-Match out to read that."
        )
    refuse_changed(
        interaction.preconditions, interaction.type or "", interaction.id or "", last_updated
    )


def refuse_changed(
    conditions: Preconditions, type: str, id: str, last_updated: Instant, expression: str = ""
) -> None:
    """Raise PreconditionFailed where If-Unmodified-Since fails; If-Match outdoes it (§13.1.4)."""
    since = conditions.if_unmodified_since
    if since is not None and not conditions.if_match and last_updated // 1000 > since // 1000:
        raise PreconditionFailed(
            f"{type}/{id} has changed since the date in If-Unmodified-Since. Read it as it is now, "
            "without that header.",
            expression=expression,
        )


def check_update_as_create(record: Record, change: Change, id: str) -> None:
    """Raise where a PUT would create a resource and the setting forbids it."""
    if change.method is Method.PUT and not record.settings.update_create:
        raise NotAllowed(
            f"There is no {change.type}/{id}, and this server does not let clients choose ids. "
            f"Create it by POST {change.type}.",
            expression=change.expression,
        )


def check_patchable(change: Change, row: Current | None) -> Current:
    """Return the row to patch. Raises NotFound or Gone."""
    if row is None:
        raise NotFound(f"There is no {change.type}/{change.id}.", expression=change.expression)
    if row.deleted:
        raise Gone(
            f"{change.type}/{row.id} was deleted. Send it whole by PUT to bring it back.",
            expression=change.expression,
        )
    return row


def is_fresh(conditions: Preconditions, version: int, last_updated: Instant) -> bool:
    """Tell whether the caller has this version already, so that 304 says it all."""
    if conditions.if_none_match:
        return _matches(conditions.if_none_match, version)
    since = conditions.if_modified_since
    return since is not None and last_updated // 1000 <= since // 1000


def _matches(tags: tuple[str, ...], version: int) -> bool:
    return "*" in tags or str(version) in tags
