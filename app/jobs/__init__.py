"""What is done after commit and by the clock."""
