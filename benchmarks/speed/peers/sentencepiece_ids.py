"""SentencePiece's own C++, on batches: text in, ids out, and nothing more."""

import os
import sys

import sentencepiece
from serve import seconds, serve

processor = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
cores = len(os.sched_getaffinity(0))


def run(texts, batch):
    texts = [text.lower() for text in texts]
    batches = [texts[i : i + batch] for i in range(0, len(texts), batch)]
    return seconds(lambda: [processor.encode(b, num_threads=cores) for b in batches])


serve({"run": run})
