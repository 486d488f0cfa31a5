"""Who leaves or moves: what of theirs ends, is handed on, or goes along; what they owe; and when their card is taken away."""
