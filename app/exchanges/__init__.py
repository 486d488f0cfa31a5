"""What telephone exchanges and sheets of numbers say about who has which number, read without trusting them. Pure."""
