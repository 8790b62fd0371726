"""A stand-in for Align's cloud, spoken to over real HTTP: for the demo and the tests, never for real scans.

It runs as its own process (`python -m connector.simulator`) and shares no code with the client, because shared code
would share its mistakes.
"""
