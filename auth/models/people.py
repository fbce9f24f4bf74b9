"""Who signs in: users, the roles they may take, and how they prove who they are.

`user_account.kind` is professional, patient or carer; `fhir_user` is the person in the record. A
secret that must be read again is sealed with the record's key ring; all others are hashes.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary

from auth.models.base import table, text, time

user_account = table(
    "user_account",
    text("id"),
    text("kind"),
    text("login"),  # folded; unique
    text("name"),
    text("fhir_user"),
    time("created"),
    time("changed"),  # by a new password, role or second factor: what was before ends
    time("disabled", needed=False),
    key=("id",),
)
Index(None, user_account.c.login, unique=True)
Index(None, user_account.c.fhir_user)

# One place a professional works in; where there are several, one is chosen at sign-in.
user_role = table(
    "user_role",
    text("user_id"),
    Column("number", Integer, nullable=False, autoincrement=False),
    text("role"),  # a row of auth/policy.py
    text("organisation", needed=False),
    text("title"),  # as shown: "GP at Northside Practice"
    Column("manages", Boolean, nullable=False),  # may invite colleagues of the organisation
    time("ends", needed=False),
    key=("user_id", "number"),
)

# Patients whose records a user opens: their own, and those a carer acts for. A RelatedPerson is of
# one patient, so a carer of several is another person of the record for each.
user_patient = table(
    "user_patient",
    text("user_id"),
    text("patient"),  # id
    text("relation"),  # self or proxy
    text("person", needed=False),  # as whom; NULL: as who the account is
    time("begins", needed=False),
    time("ends", needed=False),
    key=("user_id", "patient"),
)
Index(None, user_patient.c.patient)

password = table(
    "password", text("user_id"), text("hash"), time("changed"), key=("user_id",)
)  # Argon2id

totp = table(
    "totp",
    text("user_id"),
    Column("secret", LargeBinary, nullable=False),  # sealed
    time("created"),
    time("confirmed", needed=False),
    Column("last_step", BigInteger, nullable=False),  # each code counts once
    key=("user_id",),
)

recovery_code = table(
    "recovery_code",
    text("code_hash"),
    text("user_id"),
    time("used", needed=False),
    key=("code_hash",),
)
Index(None, recovery_code.c.user_id)

passkey = table(
    "passkey",
    text("credential_id"),  # base64url
    text("user_id"),
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", BigInteger, nullable=False),
    text("name"),
    time("created"),
    time("used", needed=False),
    key=("credential_id",),
)
Index(None, passkey.c.user_id)

# Accounts at other OpenID providers: known by issuer and subject, never by e-mail.
identity = table(
    "identity",
    text("issuer"),
    text("subject"),
    text("user_id"),
    text("level"),  # vector of trust or acr when it was linked
    time("linked"),
    time("unlinked", needed=False),  # stays, so that only its owner's wish links it again
    key=("issuer", "subject"),
)
Index(None, identity.c.user_id)

invitation = table(
    "invitation",
    text("code_hash"),
    text("kind"),
    text("fhir_user"),
    text("name"),
    text("birth_date", needed=False),  # asked of patients and carers as a second factor
    text("roles"),  # JSON: what user_role will hold
    text("patients"),  # JSON: what user_patient will hold
    text("invited_by"),
    time("created"),
    time("expires"),
    Column("tries", Integer, nullable=False),
    time("used", needed=False),
    text("user_id", needed=False),  # who came of it
    key=("code_hash",),
)

# How often something was tried in vain: sign-ins by login, by address; codes.
attempt = table(
    "attempt",
    text("subject"),
    Column("count", Integer, nullable=False),
    time("since"),
    time("closed_until", needed=False),
    key=("subject",),
)
