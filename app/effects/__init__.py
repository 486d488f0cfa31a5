"""What approved requests do, one module per use."""
