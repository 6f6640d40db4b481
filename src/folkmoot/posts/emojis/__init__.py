"""Custom emoji: pictures that the operator adds, which stand for `:shortcode:` in posts and profiles."""
