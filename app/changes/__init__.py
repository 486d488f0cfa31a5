"""The change feed: what became of the directory, version by version, as each caller may know of it."""
