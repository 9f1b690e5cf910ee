"""The trained model that the package carries: `from_checkpoint("albert_tiny_en")`.

A small English ALBERT (E 128, H 192, 4 layers, 3 heads, 512 positions, 8000 word pieces) with both
heads, in the layout of a Hugging Face directory, in half precision. README.md is its model card.
"""

import pathlib

CHECKPOINT = str(pathlib.Path(__file__).parent)
SP_MODEL = str(pathlib.Path(__file__).parent / "spiece.model")
