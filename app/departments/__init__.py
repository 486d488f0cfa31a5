"""The department tree: who belongs where, and who heads what. A foundation, because standing is read from it."""
