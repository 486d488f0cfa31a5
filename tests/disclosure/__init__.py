"""Masks, programs, the gate and the last fence."""
