"""Letters by e-mail: what one is, how it looks, and the way to the mail server."""
