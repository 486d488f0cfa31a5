"""External provision: asked for, consented to, packaged once, brought back."""
