"""The record: orders, revisions, files, timeline; inbox, case and download pages."""
