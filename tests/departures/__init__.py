"""Tests of who leaves or moves."""
