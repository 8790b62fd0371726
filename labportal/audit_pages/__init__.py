"""Reading the audit: the lab's page with filters, check and export; the installation's chain in the admin site."""
