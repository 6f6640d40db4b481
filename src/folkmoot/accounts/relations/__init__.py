"""Between two people: follows and requests, blocks, mutes, notes, endorsements, and hosts that one blocks."""
