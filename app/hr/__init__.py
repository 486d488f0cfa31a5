"""Inbound personnel events: the ledger, and what each event does to the directory."""
