"""What moderators decide about Spaces, and what becomes of the rooms of a host who is suspended."""
