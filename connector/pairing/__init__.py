"""A lab's link to an Align account: pair, refresh, revoke, un-pair, health."""
