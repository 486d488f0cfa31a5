"""External provision: what was given to whom outside, for what, until when, with whose consent, and whether it came back."""
