"""Deadlines: in how many working days the directory follows what happens to people, and whether it did."""
