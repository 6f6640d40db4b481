"""Where an account is signed in: browsers and programs."""
