"""Departments: the tree, its service, its rows."""
