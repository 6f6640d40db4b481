"""How far somebody has read, so that their next device goes on there."""
