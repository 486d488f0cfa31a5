"""The command line: nouns, then verbs. One noun per file; what a command does, a service does."""
