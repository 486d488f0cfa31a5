"""People as other systems' sheets tell of them, taken over through the directory's own services."""
