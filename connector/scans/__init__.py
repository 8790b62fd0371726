"""What is in a zip from Align's cloud: the guard, the metadata, the meshes, the pictures. No Django.

Nothing is imported here: the guard's child starts once for each order, and must not load what it does not need.
"""
