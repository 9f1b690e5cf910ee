"""What the original made of the SQuAD files in tests/fixtures, and a tokenizer that replays it."""

import json

import numpy as np

from tests.conftest import FIXTURES, GOLDENS

LENGTHS = {64: (64, 24, 16), 384: (384, 128, 64)}  # max_seq_length, doc_stride, max_query_length


class RecordedTokenizer:
    """Answers with the recorded pieces, so that no vocabulary of 30,000 pieces is needed."""

    lower = True
    special_ids = {"start_of_sequence_id": 2, "end_of_segment_id": 3}

    def __init__(self):
        recordings = json.loads((GOLDENS / "squad" / "pieces.json").read_text())
        self.pieces = {text: pieces for text, pieces, _ in recordings}
        self.ids = {text: ids for text, _, ids in recordings}
        self.id_of = {}
        for _, pieces, ids in recordings:
            self.id_of.update(zip(pieces, ids))

    def tokenize(self, text):
        return self.pieces[text]

    def encode(self, text):
        return self.ids[text]

    def pieces_to_ids(self, pieces):
        return [self.id_of[piece] for piece in pieces]


def squad_file(name):
    return FIXTURES / "squad" / f"{name}.json"


def recorded_features(name, length):
    """dict of the arrays recorded for a file and a length."""
    prefix = f"{name}_s{length}/"
    with np.load(GOLDENS / "squad" / "features.npz") as arrays:
        return {k.removeprefix(prefix): arrays[k] for k in arrays if k.startswith(prefix)}


def recorded_answers(tag):
    """(list of rounds of outputs as the heads name them, expected results) of a recording."""
    expected = json.loads((GOLDENS / "squad" / f"post_{tag}.json").read_text())
    with np.load(GOLDENS / "squad" / f"post_{tag}_input.npz") as arrays:
        return rounds_of(arrays, tag), expected


def rounds_of(arrays, tag):
    if tag.startswith("v1"):
        return [{f"{end}_logits": arrays[f"{end}_log_prob"] for end in ("start", "end")}]
    count = 1 + max(int(name[5 : name.index("/")]) for name in arrays if "/" in name)
    return [
        {k.partition("/")[2]: arrays[k] for k in arrays if k.startswith(f"round{i}/")}
        for i in range(count)
    ]
