"""Crashes, failing stores and many processes: real servers, real signals."""
