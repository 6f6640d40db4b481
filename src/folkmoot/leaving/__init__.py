"""Deleting an account: what goes, what is passed on, and the little that stays, by its number only."""
