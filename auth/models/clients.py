"""Applications and systems that may ask for tokens (RFC 7591 names)."""

from sqlalchemy import Boolean, Column, Index, Integer

from auth.models.base import table, text, time

client = table(
    "client",
    text("id"),
    text("name"),
    text("auth_method"),  # none, client_secret_basic, client_secret_post, private_key_jwt
    text("secret_hash", needed=False),  # sha256: a secret has 256 random bits
    text("jwks", needed=False),  # JSON
    text("jwks_uri", needed=False),
    text("grant_types"),  # space-separated, as all lists of words here
    text("redirect_uris"),  # JSON list: exact
    text("logout_uris"),  # JSON list
    text("launch_uri", needed=False),
    text("scope"),  # the most it may ask for
    text("origins"),  # JSON list: whose scripts may call the token endpoint
    text("organisation", needed=False),  # id: who registered it; of systems, whose rows they see
    text("purpose", needed=False),  # of backend services: a code of v3-ActReason
    text("publisher", needed=False),  # who registered it, where that is no Organization
    text("about"),  # JSON: client_uri, logo_uri, tos_uri, policy_uri, contacts
    Column("verified", Boolean, nullable=False),  # by an operator: the consent page says if not
    Column("dpop", Boolean, nullable=False),  # tokens only bound to a key (RFC 9449)
    text("management_hash", needed=False),  # registration access token (RFC 7592)
    time("created"),
    time("changed"),
    time("disabled", needed=False),
    key=("id",),
)

# Initial access tokens: who has one may register a client.
registration_ticket = table(
    "registration_ticket",
    text("token_hash"),
    text("name"),  # who has it, as people read it of what they register
    text("organisation", needed=False),  # id
    time("created"),
    time("expires"),
    Column("uses_left", Integer, nullable=False),
    time("revoked", needed=False),
    key=("token_hash",),
)

# JWTs of clients that were taken (RFC 7523, RFC 9449): each counts once, on every machine.
used_jti = table("used_jti", text("issuer"), text("jti"), time("expires"), key=("issuer", "jti"))
Index(None, used_jti.c.expires)
