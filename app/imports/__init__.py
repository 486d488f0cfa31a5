"""Files of others taken over: read, told row by row what they would do, and done, a stretch of rows at a time."""
