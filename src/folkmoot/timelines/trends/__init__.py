"""Trends: which tags, posts and links of the square several people take up now."""
