"""The demo company: deterministic data to try the service on; nobody in it exists."""
