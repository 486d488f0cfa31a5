"""Sets of whom long words find, kept ready for searches of several words."""
