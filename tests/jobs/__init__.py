"""Long work: asked for, run with the rights of whoever asked, taken over, cancelled, looked at."""
