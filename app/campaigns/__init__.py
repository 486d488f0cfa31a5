"""Recurring reviews: rights by those who own them, cards by those whom they are about. Silence has a consequence on a known day."""
