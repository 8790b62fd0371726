"""Who is in a lab: invitations, roles and rights, leaving, and labs that sign up by themselves."""
