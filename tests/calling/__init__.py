"""Tests of calling privileges."""
