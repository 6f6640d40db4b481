"""Direct posts as each who takes part sees them: one conversation, its newest post, read or not."""
