"""Tests of business facts about customers and partners."""
