"""Children that go wrong on purpose, in the real frame: in place of a real one, or with the way as their argument."""
