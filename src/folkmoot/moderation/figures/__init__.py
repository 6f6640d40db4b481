"""Numbers of the server for moderators, day by day: they name nobody."""
