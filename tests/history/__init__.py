"""Purging history: by request, for good, certified; and what stays readable."""
