"""The server's accounts as moderators find and see them, roles, and who is not let in."""
