"""Passkeys (Web Authentication Level 3): a device signs for its owner, and knows for which server."""
