"""Address ranges that moderators stop: for sign-ups, or for everything."""
