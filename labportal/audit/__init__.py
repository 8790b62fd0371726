"""The record of who saw and did what: append-only, hash-chained, one chain for each lab and one for the installation.

It knows nothing of labs or cases: whoever acts calls `services.record`. Who acts, and from where, comes from `context`.
"""
