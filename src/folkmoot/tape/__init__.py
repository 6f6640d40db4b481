"""The tape: one append-only recording per Space, and every way of reading it. Knows seats, never accounts."""
