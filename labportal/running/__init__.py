"""Running the portal on one machine: its database, web, worker, and the demo."""
