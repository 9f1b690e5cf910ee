"""Vectors of sentences by sentence-transformers: python embed_sentence_transformers.py MODEL BATCH

`encode` sorts the sentences by length itself.
"""

import sys

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from serve import serve_embedder

path, batch = sys.argv[1], int(sys.argv[2])
transformer = Transformer(path)
pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
model = SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")

serve_embedder(lambda texts: model.encode(texts, batch_size=batch, show_progress_bar=False))
