"""What people do with the rules: read, check, try, store, put in force, simulate, explain."""
