"""Telling people and systems that something has happened: types, ids and links, never a name, a number or a reason."""
