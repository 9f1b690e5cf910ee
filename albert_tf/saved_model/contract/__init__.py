"""What a SavedModel promises, and the checks that it keeps the promise."""
