"""The single read path: verdicts, then the record of the look, then the permit, then the boxes."""
