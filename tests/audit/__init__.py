"""The access log: the rules, the writer under trouble, tampering, and several processes at once."""
