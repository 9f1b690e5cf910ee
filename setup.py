"""For tools that look for it. All that it would say is in pyproject.toml."""

from setuptools import setup

setup()
