"""How orders go out: the REST export and its keys."""
