"""Who comes back by another account: hints for people, and mail that nobody signs up with."""
