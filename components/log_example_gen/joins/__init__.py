"""Tables of users, items and the like, whose columns rows get by a key."""
