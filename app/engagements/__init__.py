"""Customers and partners at work: which business fact, pushed by CRM or ERP, lets which staff see more of an external contact."""
