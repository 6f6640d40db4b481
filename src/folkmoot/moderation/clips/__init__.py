"""What moderators decide about clips."""
