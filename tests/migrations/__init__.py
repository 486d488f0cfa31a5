"""The schema's history on both engines, and what it must refuse."""
