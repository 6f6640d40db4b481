"""What moderators decide about accounts."""
