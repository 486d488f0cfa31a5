"""Sealing, keys and permits, proven: what opens, and everything that must not."""
