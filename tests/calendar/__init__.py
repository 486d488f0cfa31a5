"""Working days: the rules, the table with its history, what a start takes over, and the HTTP face."""
