"""Break-glass: reaching people in an emergency, on record, for an hour, with a review that nobody escapes."""
