"""Files of others taken over."""
