"""Asking models about texts: one, many, or files of them."""
