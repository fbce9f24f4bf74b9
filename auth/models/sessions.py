"""Browser sessions, sign-ins under way at other providers, and the keys that sign."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary

from auth.models.base import table, text, time

browser_session = table(
    "browser_session",
    text("id_hash"),  # sha256 of the cookie
    text("user_id"),
    Column("role_number", Integer),  # none until chosen, where there is a choice
    text("amr"),  # space-separated: pwd, otp, hwk, fed …
    text("acr", needed=False),
    Column("complete", Boolean, nullable=False),  # whether every factor that is required was shown
    text("state"),  # JSON: challenges and the place to go on to
    time("created"),
    time("authenticated", needed=False),
    time("seen"),
    time("expires"),
    time("ended", needed=False),
    key=("id_hash",),
)
Index(None, browser_session.c.user_id)

upstream_state = table(
    "upstream_state",
    text("state_hash"),
    text("provider"),
    text("nonce"),
    text("verifier"),
    text("browser"),  # sha256 of a cookie: the one who comes back is the one who went
    text("return_to"),
    text("links", needed=False),  # user whom the identity is to be linked to
    text("invitation", needed=False),  # code_hash
    time("expires"),
    time("used", needed=False),
    key=("state_hash",),
)

signing_key = table(
    "signing_key",
    text("kid"),
    text("algorithm"),
    Column("private", LargeBinary, nullable=False),  # sealed JWK
    text("public"),  # JWK
    time("created"),
    time("retired", needed=False),  # signs no more, is still served
    time("ends", needed=False),  # served until then
    key=("kid",),
)
