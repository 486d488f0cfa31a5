"""The demo company, its loading, and what the READMEs promise about both."""
