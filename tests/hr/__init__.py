"""Tests of personnel events."""
