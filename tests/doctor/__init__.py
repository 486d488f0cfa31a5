"""Tests of the examination of an installation, part by part; the command itself is tested in ``tests/cli/test_doctor.py``."""
