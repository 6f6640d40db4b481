"""What whoever runs the server tells everybody here: read, put away, reacted to."""
