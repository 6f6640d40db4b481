"""Avatars and headers: the pictures that somebody is shown with."""
