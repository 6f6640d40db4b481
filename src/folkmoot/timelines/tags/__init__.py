"""Tags that people follow, tags that they show on their profile, and how much a tag is used."""
