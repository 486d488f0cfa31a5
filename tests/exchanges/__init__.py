"""What exchanges and sheets say of numbers."""
