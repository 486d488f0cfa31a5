"""Duanhao: a company's contact directory that opens a protected value only after the look is on record."""

__version__ = "0.1.0"
