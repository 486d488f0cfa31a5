"""What must hold for the whole application."""
