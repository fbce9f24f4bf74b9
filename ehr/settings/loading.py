"""Settings from an environment.

Unknown `EHR_` names are refused, because a misspelt safety setting must not pass in silence.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from ehr.settings import values
from ehr.settings.described import Setting, SettingsError
from ehr.settings.listed import SETTINGS, Settings

# Read by the tests, and by `ehr load --url` as a client; no settings of the record.
_FOREIGN = frozenset({"EHR_SHARED", "EHR_TEST_ENGINES", "EHR_TEST_POSTGRES", "EHR_TOKEN"})


def load(environment: Mapping[str, str]) -> Settings:
    """Read every `EHR_*` variable; raise SettingsError at the first that cannot be used."""
    _refuse_unknown(environment)
    given = {
        setting.attribute: _read(setting, environment[setting.variable])
        for setting in SETTINGS
        if setting.variable in environment
    }
    settings = Settings(**given)
    least = min(settings.page_limit.people, settings.page_limit.systems)
    if settings.page_size > least:
        raise SettingsError(
            f"A page of {settings.page_size} entries is larger than the limit of {least}.",
            "EHR_PAGE_SIZE and EHR_PAGE_LIMIT.",
            "Lower EHR_PAGE_SIZE or raise EHR_PAGE_LIMIT.",
        )
    if bool(settings.smtp_url) != bool(settings.mail_from):
        raise SettingsError(
            "Invitations are sent only where both server and sender are named.",
            "EHR_SMTP_URL and EHR_MAIL_FROM.",
            "Set both, or neither.",
        )
    return settings


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = [setting.variable for setting in SETTINGS]
    for name in sorted(environment):
        if name.startswith("EHR_") and name not in known and name not in _FOREIGN:
            # What all names begin with makes none of them closer.
            ends = [one.removeprefix("EHR_") for one in known]
            near = difflib.get_close_matches(name.removeprefix("EHR_"), ends, n=1)
            hint = f"Did you mean EHR_{near[0]}? " if near else ""
            raise SettingsError(
                f"There is no setting {name}.",
                "the environment.",
                f"{hint}Remove it, or see `ehr settings` for all names.",
            )


def _read(setting: Setting, text: str) -> Any:
    try:
        return setting.read(text.strip())
    except ValueError as error:
        shown = "The value" if setting.secret else f"`{values.without_password(text)}`"
        raise SettingsError(
            f"{shown} can't be used: {error}.",
            f"{setting.variable}.",
            f"Give a {setting.kind}; the default is `{setting.default}`."
            if not setting.secret
            else "Give 16 or more random characters.",
        ) from None
