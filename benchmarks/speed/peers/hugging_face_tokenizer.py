"""Hugging Face's tokenizer in Rust, on batches: text in, ids of length 128 out."""

import pathlib
import shutil
import sys
import tempfile

from serve import seconds, serve
from transformers import AlbertTokenizer

with tempfile.TemporaryDirectory() as folder:
    shutil.copy(sys.argv[1], pathlib.Path(folder) / "spiece.model")
    tokenizer = AlbertTokenizer.from_pretrained(folder)
if not tokenizer.is_fast:
    raise RuntimeError("not the tokenizer in Rust")


def run(texts, batch):
    options = {"padding": "max_length", "truncation": True, "max_length": 128}
    batches = [texts[i : i + batch] for i in range(0, len(texts), batch)]
    return seconds(lambda: [tokenizer(b, return_tensors="np", **options) for b in batches])


serve({"run": run})
