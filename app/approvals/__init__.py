"""Requests that need a decision: who is asked in which order, what they said, and what an approved request does."""
