"""What people say of themselves, and what their new posts are if they say nothing."""
