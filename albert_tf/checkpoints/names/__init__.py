"""Whose weights: the names, shapes and configurations that each kind of checkpoint uses."""
