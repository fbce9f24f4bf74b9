"""Sign-in, clients, grants and their tokens: what an OAuth server keeps.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_OF_TOKENS = (
    "grant_id",
    "client_id",
    "user_id",
    "scope",
    "context",
    "jkt",
    "audience",
)
_INDEXES = (
    ("access_grant", ("client_id",), False),
    ("access_grant", ("session_id",), False),
    ("access_grant", ("user_id",), False),
    ("access_token", ("client_id",), False),
    ("access_token", ("expires",), False),
    ("access_token", ("grant_id",), False),
    ("access_token", ("user_id",), False),
    ("browser_session", ("user_id",), False),
    ("identity", ("user_id",), False),
    ("passkey", ("user_id",), False),
    ("recovery_code", ("user_id",), False),
    ("refresh_token", ("grant_id",), False),
    ("used_jti", ("expires",), False),
    ("user_account", ("fhir_user",), False),
    ("user_account", ("login",), True),
    ("user_patient", ("patient",), False),
)
_TABLES = (
    "user_role",
    "user_patient",
    "user_account",
    "used_jti",
    "upstream_state",
    "totp",
    "signing_key",
    "registration_ticket",
    "refresh_token",
    "recovery_code",
    "pushed_request",
    "password",
    "passkey",
    "launch",
    "invitation",
    "identity",
    "client",
    "browser_session",
    "authorization_code",
    "attempt",
    "approval",
    "access_grant",
)


def upgrade() -> None:
    for name in _OF_TOKENS:
        op.add_column("access_token", _text(name, nullable=True))
    _make_people()
    _make_clients()
    _make_grants()
    _make_sessions()
    for table, columns, unique in _INDEXES:
        name = op.f(f"ix_{table}_{'_'.join(columns)}")
        op.create_index(name, table, list(columns), unique=unique)


def downgrade() -> None:
    for table, columns, _ in reversed(_INDEXES):
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table_name=table)
    for name in _TABLES:
        op.drop_table(name)
    with op.batch_alter_table("access_token") as table:
        for name in reversed(_OF_TOKENS):
            table.drop_column(name)


def _make_people() -> None:
    _table(
        "user_account",
        _text("id"),
        _text("kind"),
        _text("login"),
        _text("name"),
        _text("fhir_user"),
        _time("created"),
        _time("changed"),
        _time("disabled", nullable=True),
        key=("id",),
    )
    _table(
        "user_role",
        _text("user_id"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        _text("role"),
        _text("organisation", nullable=True),
        _text("title"),
        sa.Column("manages", sa.Boolean(), nullable=False),
        _time("ends", nullable=True),
        key=(
            "user_id",
            "number",
        ),
    )
    _table(
        "user_patient",
        _text("user_id"),
        _text("patient"),
        _text("relation"),
        _time("begins", nullable=True),
        _time("ends", nullable=True),
        key=(
            "user_id",
            "patient",
        ),
    )
    _table("password", _text("user_id"), _text("hash"), _time("changed"), key=("user_id",))
    _table(
        "totp",
        _text("user_id"),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        _time("created"),
        _time("confirmed", nullable=True),
        _time("last_step"),
        key=("user_id",),
    )
    _table(
        "recovery_code",
        _text("code_hash"),
        _text("user_id"),
        _time("used", nullable=True),
        key=("code_hash",),
    )
    _table(
        "passkey",
        _text("credential_id"),
        _text("user_id"),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        _time("sign_count"),
        _text("name"),
        _time("created"),
        _time("used", nullable=True),
        key=("credential_id",),
    )
    _table(
        "identity",
        _text("issuer"),
        _text("subject"),
        _text("user_id"),
        _text("level"),
        _time("linked"),
        _time("unlinked", nullable=True),
        key=(
            "issuer",
            "subject",
        ),
    )
    _table(
        "invitation",
        _text("code_hash"),
        _text("kind"),
        _text("fhir_user"),
        _text("name"),
        _text("birth_date", nullable=True),
        _text("roles"),
        _text("patients"),
        _text("invited_by"),
        _time("created"),
        _time("expires"),
        sa.Column("tries", sa.Integer(), nullable=False),
        _time("used", nullable=True),
        _text("user_id", nullable=True),
        key=("code_hash",),
    )
    _table(
        "attempt",
        _text("subject"),
        sa.Column("count", sa.Integer(), nullable=False),
        _time("since"),
        _time("closed_until", nullable=True),
        key=("subject",),
    )


def _make_clients() -> None:
    _table(
        "client",
        _text("id"),
        _text("name"),
        _text("auth_method"),
        _text("secret_hash", nullable=True),
        _text("jwks", nullable=True),
        _text("jwks_uri", nullable=True),
        _text("grant_types"),
        _text("redirect_uris"),
        _text("logout_uris"),
        _text("launch_uri", nullable=True),
        _text("scope"),
        _text("origins"),
        _text("organisation", nullable=True),
        _text("purpose", nullable=True),
        _text("publisher", nullable=True),
        _text("about"),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("dpop", sa.Boolean(), nullable=False),
        _text("management_hash", nullable=True),
        _time("created"),
        _time("changed"),
        _time("disabled", nullable=True),
        key=("id",),
    )
    _table(
        "registration_ticket",
        _text("token_hash"),
        _text("name"),
        _text("organisation", nullable=True),
        _time("created"),
        _time("expires"),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        _time("revoked", nullable=True),
        key=("token_hash",),
    )
    _table(
        "used_jti",
        _text("issuer"),
        _text("jti"),
        _time("expires"),
        key=(
            "issuer",
            "jti",
        ),
    )


def _make_grants() -> None:
    _table(
        "access_grant",
        _text("id"),
        _text("client_id"),
        _text("user_id", nullable=True),
        _text("session_id", nullable=True),
        _text("scope"),
        _text("context"),
        _text("lasting"),
        _time("created"),
        _time("used"),
        _time("expires", nullable=True),
        _time("revoked", nullable=True),
        _text("revoked_why", nullable=True),
        key=("id",),
    )
    _table(
        "approval",
        _text("user_id"),
        _text("client_id"),
        _text("scope"),
        _time("given"),
        _time("expires"),
        key=(
            "user_id",
            "client_id",
        ),
    )
    _table(
        "authorization_code",
        _text("code_hash"),
        _text("grant_id"),
        _text("client_id"),
        _text("redirect_uri"),
        _text("challenge"),
        _text("request"),
        _time("expires"),
        _time("used", nullable=True),
        key=("code_hash",),
    )
    _table(
        "refresh_token",
        _text("token_hash"),
        _text("grant_id"),
        _text("jkt", nullable=True),
        _time("created"),
        _time("expires"),
        _time("used", nullable=True),
        key=("token_hash",),
    )
    _table(
        "launch",
        _text("launch_hash"),
        _text("client_id"),
        _text("user_id"),
        _text("session_id"),
        _text("context"),
        _time("expires"),
        _time("used", nullable=True),
        key=("launch_hash",),
    )
    _table(
        "pushed_request",
        _text("uri_hash"),
        _text("client_id"),
        _text("parameters"),
        _time("expires"),
        _time("used", nullable=True),
        _text("browser", nullable=True),
        _text("session_id", nullable=True),
        _text("wish", nullable=True),
        key=("uri_hash",),
    )


def _make_sessions() -> None:
    _table(
        "browser_session",
        _text("id_hash"),
        _text("user_id"),
        sa.Column("role_number", sa.Integer(), nullable=True),
        _text("amr"),
        _text("acr", nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        _text("state"),
        _time("created"),
        _time("authenticated", nullable=True),
        _time("seen"),
        _time("expires"),
        _time("ended", nullable=True),
        key=("id_hash",),
    )
    _table(
        "upstream_state",
        _text("state_hash"),
        _text("provider"),
        _text("nonce"),
        _text("verifier"),
        _text("browser"),
        _text("return_to"),
        _text("links", nullable=True),
        _text("invitation", nullable=True),
        _time("expires"),
        _time("used", nullable=True),
        key=("state_hash",),
    )
    _table(
        "signing_key",
        _text("kid"),
        _text("algorithm"),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        _text("public"),
        _time("created"),
        _time("retired", nullable=True),
        _time("ends", nullable=True),
        key=("kid",),
    )


def _table(name: str, *columns: sa.Column, key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        *columns,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name, text, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)
