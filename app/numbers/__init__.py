"""Short numbers: domains, pools and ranges; who holds which number, who held it, and how the next one is chosen."""
