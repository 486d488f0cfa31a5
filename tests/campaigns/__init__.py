"""Tests of reviews of rights and cards."""
