"""Head-counts held against the directory."""
