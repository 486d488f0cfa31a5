"""Sets of whom long words find."""
