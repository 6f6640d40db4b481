"""What people are told of: made from the events of the bus, shown through the gate, streamed and pushed."""
