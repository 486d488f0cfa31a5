"""Tests of approvals: the rules by themselves, requests over HTTP, the clock, races and crashes."""
