"""Sending a case back to the doctor, and waiting for the re-scan."""
