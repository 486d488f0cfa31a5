"""Proofs about the whole tree: who imports whom, its shape, its dependencies, its container files."""
