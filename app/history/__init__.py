"""Purging history: what may be destroyed and when, the certificate of what was, and showing it."""
