"""The processes: what starts and watches them, and what runs in each. With `app.py`, the only wiring."""
