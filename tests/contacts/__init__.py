"""The directory over HTTP, and who sees what of whom."""
