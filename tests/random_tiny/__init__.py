"""A checkpoint in the original's format and layout, small and with random weights, for tests.

E 32, H 64, 3 layers, 512 positions, 1000 word pieces.
"""

import pathlib

CHECKPOINT = str(pathlib.Path(__file__).parent)
SP_MODEL = str(pathlib.Path(__file__).parent / "sentencepiece.model")
