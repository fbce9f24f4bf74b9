"""capabilities: what this server does (R4 §3.1.0.8), the same for every caller."""

from functools import lru_cache

from auth.principal import Principal
from ehr.errors import Invalid
from ehr.interactions.capability_statement import Facts, statement
from ehr.messages import Interaction, Result
from ehr.record import Record
from ehr.search.parameters.custom import NO_CUSTOM, Custom
from ehr.settings import Settings
from ehr.settings import own_base as stated_base
from ehr.urls import operations as offered
from fhir_profiles import json_format

_MODES = ("full", "normative", "terminology")


def capabilities(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Answer an entry of a Bundle that asks for the statement."""
    custom = record.definitions.custom
    body = own_base(statement_of(record.settings, interaction, custom), interaction.base)
    return Result(status=200, body=body)


def statement_of(settings: Settings, interaction: Interaction, custom: Custom = NO_CUSTOM) -> bytes:
    """Return the statement that is asked for as JSON, with a base that stands for the real one.

    `custom` are the search parameters that the record adds to those of R4.
    """
    facts = Facts(
        settings.update_create,
        settings.conditional_delete,
        settings.references,
        stated_base(settings).removesuffix("/fhir"),
        custom if custom.ready else NO_CUSTOM,
    )
    return _serialised(facts, _mode(interaction))


def own_base(body: bytes, base: str) -> bytes:
    """Return a statement with the base of this server filled in."""
    return body.replace(offered.OWN_BASE.encode(), base.encode())


def _mode(interaction: Interaction) -> str:
    modes = [value for name, value in interaction.params if name == "mode"]
    if len(modes) > 1:
        raise Invalid("`mode` is given twice. Send it once.", expression="mode")
    mode = modes[0] if modes else "full"
    if mode not in _MODES:
        raise Invalid(f"mode={mode[:40]} is unknown. Choose {', '.join(_MODES)}.", code="value")
    return mode


@lru_cache(maxsize=8)
def _serialised(facts: Facts, mode: str) -> bytes:
    return json_format.serialise(statement(facts, mode))
