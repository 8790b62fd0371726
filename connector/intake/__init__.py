"""How orders come in: notification inbox, polling, recording, the download protocol, the sweep."""
