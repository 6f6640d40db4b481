"""What people bring before the moderators, and what became of it."""
