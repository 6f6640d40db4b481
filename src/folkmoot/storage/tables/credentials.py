"""What programs and browsers sign in with."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from folkmoot.storage.tables.base import Document, account_column, id_column, metadata

applications = Table(
    "applications",
    metadata,
    id_column(),
    Column("client_id", String(64), nullable=False, unique=True),
    Column("client_secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("website", Text),
    Column("redirect_uris", Document, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("application_id", BigInteger, ForeignKey("applications.id", ondelete="CASCADE"), nullable=False),
    account_column("account_id"),
    Column("redirect_uri", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("code_challenge", Text),
    Column("account_counter", Integer, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
)

# Also the browser sessions of the web client: a session is a token of the built-in application (NULL).
tokens = Table(
    "tokens",
    metadata,
    id_column(),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("application_id", BigInteger, ForeignKey("applications.id", ondelete="CASCADE")),
    account_column("account_id", nullable=True),
    Column("scopes", Text, nullable=False),
    Column("account_counter", Integer, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger),
    Column("name", Text, nullable=False, server_default=""),  # of a session: which browser on which system
    Column("used_at_ms", BigInteger),  # the beginning of the last day (UTC) on which it was used
    Index("ix_tokens_account_id", "account_id"),
)
# Those of programs alone, of each program: they are counted when it gets another.
Index(
    "ix_tokens_of_programs",
    tokens.c.application_id,
    tokens.c.id,
    sqlite_where=text("account_id IS NULL"),
    postgresql_where=text("account_id IS NULL"),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("purpose", String(32), nullable=False),  # owner, password, email, … (accounts/links.py)
    account_column("account_id", nullable=True),  # whose password
    Column("account_counter", Integer),  # the account's, as it was: raised, it ends the link
    Column("email", Text),  # the address that it confirms
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
)

# What a program of codes (RFC 6238) shares with this server, sealed with a key that is kept apart from the
# database.
totp_secrets = Table(
    "totp_secrets",
    metadata,
    account_column("account_id", primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    Column("confirmed_at_ms", BigInteger),  # NULL: not asked for yet, the first code is to come
    Column("last_step", BigInteger, nullable=False, server_default="0"),  # of the newest code that was used
)

# Each is good once: using it deletes it.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    account_column("account_id", primary_key=True),
    Column("code_hash", LargeBinary, primary_key=True),
    Column("made_at_ms", BigInteger, nullable=False),
)

# Web Authentication Level 3: the public half of what a person's device keeps.
passkeys = Table(
    "passkeys",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
    # Not since the password was changed, until it was used together with the new one.
    Column("signs_in_alone", Boolean, nullable=False, server_default=text("true")),
    Index("ix_passkeys_account_id", "account_id"),
)
