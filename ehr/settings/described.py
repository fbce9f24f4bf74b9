"""What a setting is: a variable, its default, how its text is read and shown; and a bad one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ehr.settings import values

DEVELOPMENT_SECRET = "for-development-only"  # noqa: S105  refused by check_public


class SettingsError(Exception):
    """A setting that cannot be used: what is wrong, where, and what to do."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        super().__init__(f"{what} {where} {remedy}")
        self.what, self.where, self.remedy = what, where, remedy


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable; `default` is written as a person would write it."""

    variable: str
    attribute: str
    kind: str
    default: str
    help: str
    read: Callable[[str], Any]
    secret: bool = False

    def shown(self, text: str) -> str:
        """Return what was written as it may be printed: passwords and secrets are left out."""
        if self.secret:
            return "(development default)" if text == DEVELOPMENT_SECRET else "(set)"
        return values.without_password(text)


def setting(
    default: str, kind: str, help: str, read: Callable[[str], Any], *, secret: bool = False
) -> Any:
    """Return the field of a setting."""
    described = {"default": default, "kind": kind, "help": help, "read": read, "secret": secret}
    return field(default_factory=lambda: read(default), metadata=described)
