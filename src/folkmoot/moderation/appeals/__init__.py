"""What somebody says against a sanction, and who answers."""
