"""Keeping what was received: verify it, back it up, restore it safely, and say how the installation stands."""
