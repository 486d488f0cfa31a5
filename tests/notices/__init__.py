"""Tests of notices: what may be told, where it may be sent, and that it is told at least once and in order."""
