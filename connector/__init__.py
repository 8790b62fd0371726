"""The mission, in the order that a scan travels: itero, pairing, intake, orders, scans, returns, lms."""
