"""Phonebooks and the names of callers."""
