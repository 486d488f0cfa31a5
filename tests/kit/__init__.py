"""The plumbing that every domain stands on."""
