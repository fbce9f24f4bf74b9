"""GET [base]/metadata: the CapabilityStatement, public and the same for every caller.

R4 §3.1.0.8 (capabilities). A rendered statement is kept; only the base URL is filled in.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from ehr.interactions import views
from ehr.interactions.capabilities import own_base, statement_of
from ehr.messages import Interaction, Result
from ehr.rest.parse import Presentation
from ehr.rest.respond import Response, rendered, respond_rendered
from ehr.search.parameters.custom import Custom
from ehr.settings import Settings
from ehr.urls.unheeded import refuse_unheeded
from fhir_profiles import json_format


def respond(
    interaction: Interaction,
    settings: Settings,
    custom: Custom,
    shown: Presentation,
    environ: Mapping[str, Any],
) -> Response:
    """Answer GET [base]/metadata, with 304 when the caller has this statement already."""
    refuse_unheeded(interaction)
    view = views.wanted_view(interaction)
    body = own_base(
        _rendered(statement_of(settings, interaction, custom), view, shown), interaction.base
    )
    tag = blake2b(body, digest_size=8).hexdigest()
    headers = (("ETag", f'W/"{tag}"'),)
    if tag in interaction.preconditions.if_none_match:
        return respond_rendered(Result(status=304, headers=headers), shown, environ)
    return respond_rendered(Result(status=200, body=body, headers=headers), shown, environ)


@lru_cache(maxsize=8)
def _rendered(statement: bytes, view: views.View, shown: Presentation) -> bytes:
    if view != views.WHOLE:
        statement = json_format.serialise(views.part(json_format.reparse(statement), view))
    return rendered(statement, shown)
