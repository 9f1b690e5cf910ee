"""The checkpoint that the package carries, so that everything runs without a download.

It has the original's format and layout (E 32, H 64, 3 layers, 512 positions, 1000 word pieces) but
**random weights**: its vectors mean nothing. Use it to try the commands, and a published checkpoint
for results.
"""

import pathlib

CHECKPOINT = str(pathlib.Path(__file__).parent)
SP_MODEL = str(pathlib.Path(__file__).parent / "sentencepiece.model")
