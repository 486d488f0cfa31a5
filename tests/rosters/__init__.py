"""People taken over from sheets, and taken along as sheets."""
