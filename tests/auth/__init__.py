"""Tests of sign-in: the rules as tables, the services on both engines."""
