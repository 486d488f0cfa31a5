"""Reverse lookup: whose number, mail address or employee number is this, as far as the caller may know."""
