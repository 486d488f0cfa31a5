"""People and hotlines: the cards of the directory, read through the gate, written with history."""
