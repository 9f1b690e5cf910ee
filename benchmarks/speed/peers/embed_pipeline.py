"""Vectors of sentences by transformers' pipeline: python embed_pipeline.py MODEL BATCH

The pipeline gives the vectors of all tokens, those of padding included, in the order of the texts;
their mean is taken here.
"""

import sys

import torch
from serve import serve_embedder
from transformers import pipeline

path, batch = sys.argv[1], int(sys.argv[2])
extract = pipeline("feature-extraction", model=path, device="cpu")


def embed(texts):
    outputs = extract(texts, batch_size=batch, return_tensors=True)
    lengths = map(len, extract.tokenizer(texts)["input_ids"])
    means = [output[0, :length].mean(0) for output, length in zip(outputs, lengths)]
    return torch.nn.functional.normalize(torch.stack(means), dim=-1).numpy()


serve_embedder(embed)
