"""Data sets and users' own files -> features, and predictions -> scores."""
