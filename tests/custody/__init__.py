"""Tests of what operators do where nobody can be asked, and of service accounts between owners."""
