"""The moves behind `spaces/rules.py`, which is the only door: nothing outside `spaces/` imports from here."""
