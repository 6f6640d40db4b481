"""Filters: words and posts that somebody doesn't want to come upon, and where."""
