"""Phonebooks for desk phones, and the name behind a number that rings. The caller is the phone, or the exchange."""
