"""Lists: some of those whom one follows, read by themselves."""
