"""What people do with posts besides answering: favourites, bookmarks, pins, conversations they mute."""
