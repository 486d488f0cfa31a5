"""What every change of the directory leaves behind, in its own transaction, and the numbers that these are given after the commit."""
