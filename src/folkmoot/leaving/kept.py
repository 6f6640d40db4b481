"""What becomes of every column that names an account. A table that comes later is erased without being listed.

What hangs on an account's row goes as if that row were deleted: by the foreign key's own word, the row or the
reference. What is listed here stays, and docs/data.md says why; a test compares them with the tables.
"""

from sqlalchemy import Column

from folkmoot.storage.tables.base import metadata

# Foreign keys: rows that stay with the number of an account of which nothing else is left.
KEPT = frozenset(
    {
        "deletions.account_id",  # that it was deleted, and when
        "posts.account_id",  # tombstones that others have answered, without a word
        "sanctions.account_id",  # what was decided about it: the log of moderation has no holes
        "seats.account_id",  # that the same person had these seats: the recording is the others', too
    }
)
# Passed on to somebody else before, or emptied (leaving/spaces.py).
PASSED_ON = frozenset({"spaces.creator_id", "spaces.host_id"})
# No foreign keys: whose decision something was, and whom others answered. Numbers of nobody, from then on.
NUMBERS = frozenset(
    {
        "appeals.decided_by",
        "email_blocks.decided_by",
        "email_domain_blocks.decided_by",
        "ignored_hints.ignored_by",
        "network_stops.decided_by",
        "posts.in_reply_to_account_id",
        "redactions.decided_by",
        "sanctions.decided_by",
        "sanctions.lifted_by",
    }
)


def erased() -> list[Column[int]]:
    """The columns whose rows (or, where they say SET NULL, whose references) go; dependent tables first."""
    return [
        column
        for table in reversed(metadata.sorted_tables)
        for column in table.columns
        if names_account(column) and f"{table.name}.{column.name}" not in KEPT | PASSED_ON
    ]


def names_account(column: Column[int]) -> bool:
    """Whether it refers to an account's row."""
    return any(key.target_fullname == "accounts.id" for key in column.foreign_keys)


def sets_null(column: Column[int]) -> bool:
    return any(key.ondelete == "SET NULL" for key in column.foreign_keys)
