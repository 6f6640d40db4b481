"""What programs and browsers sign in with."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

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
    Index("ix_tokens_account_id", "account_id"),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("purpose", String(32), nullable=False),  # owner, password
    account_column("account_id", nullable=True),  # whose password
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
)
