"""Tests of the number plan."""
