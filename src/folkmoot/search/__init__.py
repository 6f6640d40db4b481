"""Search: what somebody typed, and which posts and tags it finds. People are found in `accounts/discovery/`."""
