"""What moderators decide about hosts of other networks."""
