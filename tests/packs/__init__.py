"""What people do with the rules."""
