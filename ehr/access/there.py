"""EXISTS at any depth: SQLAlchemy by itself looks no further out than the next SELECT."""

from sqlalchemy import ColumnElement, FromClause, exists

Of = FromClause | tuple[FromClause, ...]


def there_is(of: Of, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that rows of these aliases meet conditions; all others are outside."""
    aliases = of if isinstance(of, tuple) else (of,)
    return exists().where(*where).correlate_except(*aliases)
