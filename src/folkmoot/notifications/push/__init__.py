"""Web Push: what somebody is told, sent to where a program of theirs wants it, sealed for that program alone."""
