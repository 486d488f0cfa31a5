"""Files of requests: what is taken, who reads it, what becomes of it, and what hostile hands can do to it."""
