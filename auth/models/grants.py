"""What was granted, and the codes and tokens that stand for them.

A *grant* is one consent of one user to one client, or one client acting for itself; codes,
refresh and access tokens are of one, and end with it. `context` is JSON:

    launch    what stands beside the token in the token response: patient, encounter, fhirContext,
              intent, need_patient_banner, smart_style_url, tenant
    author    who is named as author of what is written      person    fhirUser, as Practitioner/1
    patients  ids of those whose records a patient or carer opens
    role, title, organisation    what is in force while the token is used
    purpose   of use, a code of v3-ActReason (`auth/purposes.py`)
    sign_in   of a grant alone, for id_tokens: auth_time, amr, acr
    signed_in of a token alone: the auth_time of its grant, in ms; a refreshed token keeps it
"""

from sqlalchemy import Index

from auth.models.base import table, text, time

access_grant = table(
    "access_grant",
    text("id"),
    text("client_id"),
    text("user_id", needed=False),
    text("session_id", needed=False),  # online_access ends with it
    text("scope"),
    text("context"),
    text("lasting"),  # none, online or offline: whether refresh tokens are given
    time("created"),
    time("used"),
    time("expires", needed=False),
    time("revoked", needed=False),
    text("revoked_why", needed=False),
    key=("id",),
)
Index(None, access_grant.c.user_id)
Index(None, access_grant.c.client_id)
Index(None, access_grant.c.session_id)

# What a user has allowed a client before, so that the same is not asked again.
approval = table(
    "approval",
    text("user_id"),
    text("client_id"),
    text("scope"),
    time("given"),
    time("expires"),
    key=("user_id", "client_id"),
)

authorization_code = table(
    "authorization_code",
    text("code_hash"),
    text("grant_id"),
    text("client_id"),
    text("redirect_uri"),
    text("challenge"),  # S256
    text("request"),  # JSON: nonce, auth_time, amr, acr, dpop_jkt
    time("expires"),
    time("used", needed=False),
    key=("code_hash",),
)

refresh_token = table(
    "refresh_token",
    text("token_hash"),
    text("grant_id"),
    text("jkt", needed=False),  # thumbprint of the key it is bound to
    time("created"),
    time("expires"),
    time("used", needed=False),  # it was changed for another: once more ends the grant
    key=("token_hash",),
)
Index(None, refresh_token.c.grant_id)

access_token = table(
    "access_token",
    text("token_hash"),  # sha256 in hex; the token is never kept
    text("kind"),
    text("name"),
    text("organisation", needed=False),
    text("grant_id", needed=False),  # none: of a client that acts for itself, or by `ehr token`
    text("client_id", needed=False),
    text("user_id", needed=False),
    text("scope", needed=False),  # none: made by `ehr token`, with all rights of its kind
    text("context", needed=False),
    text("jkt", needed=False),
    text("audience", needed=False),
    time("created"),
    time("expires", needed=False),
    time("revoked", needed=False),
    key=("token_hash",),
)
Index(None, access_token.c.grant_id)
Index(None, access_token.c.user_id)
Index(None, access_token.c.client_id)
Index(None, access_token.c.expires)

# A launch from the workspace (SMART, EHR launch): for one user, client and patient, once.
launch = table(
    "launch",
    text("launch_hash"),
    text("client_id"),
    text("user_id"),
    text("session_id"),
    text("context"),  # JSON: patient, encounter, fhirContext, intent, need_patient_banner
    time("expires"),
    time("used", needed=False),
    key=("launch_hash",),
)

# Authorization requests: pushed (RFC 9126), or kept until a person has answered them.
pushed_request = table(
    "pushed_request",
    text("uri_hash"),
    text("client_id"),
    text("parameters"),  # JSON
    time("expires"),
    time("used", needed=False),
    text("browser", needed=False),  # hash of the cookie of the browser that goes on with it
    text("session_id", needed=False),  # where the wish is good
    text("wish", needed=False),  # JSON: patient, visit, as chosen on our pages
    key=("uri_hash",),
)
