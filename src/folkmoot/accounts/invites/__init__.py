"""Links by which people bring others, and who brought whom."""
