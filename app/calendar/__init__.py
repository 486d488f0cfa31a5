"""Working days: which they are, who said so, and when something is due. Below everything that waits for somebody."""
