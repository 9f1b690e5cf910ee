"""Vectors of texts: from a teacher's vectors, from pairs, or from scored pairs."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from albert_tf.atomic import new_file, write_file
from albert_tf.data.tasks.embedding import (
    EMBEDDING_ENDINGS,
    embedding_features,
    read_embedding,
    vectors_of,
)
from albert_tf.data.tasks.metrics import pearson, recall_at, spearman
from albert_tf.saved_model.embedder import export_embedder
from albert_tf.tasks.embedder import AlbertEmbedder
from albert_tf.training.engine.losses import MeanOf
from albert_tf.training.finetuning.task import FinetuneTask, read_splits, split_files
from albert_tf.training.finetuning.teacher import is_file, teacher_vectors

_SCORES = {
    "vectors": ("cosine",),
    "pairs": ("recall_at_1", "recall_at_5", "recall_at_10"),
    "scores": ("spearman", "pearson"),
}


class EmbeddingTask(FinetuneTask):
    """A vector for each text, the mean of its token vectors; `embedding_task` makes one.

    What the examples of a split have decides what is learned from them, and how they are scored:
    a teacher's vectors ("cosine", the mean cosine to them); pairs of texts, with or without
    negatives ("recall_at_1", and at 5 and 10: how often a text's partner is among the nearest of
    all second texts and negatives of the split); or pairs with a score ("spearman" and "pearson" of
    score and cosine). The first score of "dev" chooses the best weights.

    Args:
      name: Name of the task.
      splits: {split: `ExampleSet` of `EmbeddingExample`s}.
      temperature: What cosines are divided by before the softmax over a text's partner and the
        other second texts of the batch.
    """

    kind = "embedding"
    not_by_token = ("vectors", "text_ids")

    def __init__(self, name, splits, temperature=0.05):
        self.forms = {split: _form(examples) for split, examples in splits.items()}
        self.form = self.forms["train"]
        dev = self.forms.get("dev", self.form)
        for split, form in self.forms.items():
            if form is None and split != "test":
                raise ValueError(
                    "Texts alone have nothing to be learned from or scored by. Received: "
                    f"{', '.join(splits[split].files)} for {split}, with no second texts. Pass "
                    "pairs, or a teacher: the directory of a sentence encoder (--teacher=...), or "
                    "for the training texts the file of its vectors."
                )
        super().__init__(name, splits, _SCORES[dev][0])
        if not temperature > 0.0:
            raise ValueError(f"`temperature` must be positive. Received: {temperature!r}.")
        self.temperature = temperature
        # Of pairs, a loss over another number of texts would be another loss.
        self.has_dev_loss = dev == self.form != "pairs"
        self.settings = {"temperature": temperature} if self.form == "pairs" else {}
        self.basis = None

    def build(self, encoder, recipe):
        if self.form == "vectors":
            self.basis = principal(vectors_of(self.splits["train"]), encoder.albert_config)
        return AlbertEmbedder(encoder)

    def losses(self):
        if self.form == "vectors":
            loss = teacher_loss(self.basis)
        elif self.form == "pairs":
            loss = pairs_loss(self.temperature)
        else:
            loss = scores_loss(score_range(e.label for e in self.splits["train"]))
        return {"loss": MeanOf(loss, weights="weights")}, {}

    def features(self, split, recipe):
        return embedding_features(self.splits[split], self.tokenizer, recipe.max_seq_length)

    def inputs_and_targets(self, rows):
        targets = {"weights": tf.cast(rows["is_real_example"], tf.float32)}
        names = {"text_ids": "text_ids", "labels": "label_ids", "vectors": "vectors"}
        targets |= {ours: rows[name] for ours, name in names.items() if name in rows}
        return self.inputs(rows), targets

    def scores(self, split, features, outputs):
        form = self.forms.get(split, self.form)
        if split == "test" and form != "scores":
            return {}
        if form == "vectors":
            targets = _unit(features["vectors"] @ self.basis)
            return {"cosine": float(np.mean(np.sum(outputs[:, 0] * targets, -1, np.float64)))}
        if form == "scores":
            cosines = _cosines(outputs)
            labels = features["label_ids"]
            return {"spearman": spearman(labels, cosines), "pearson": pearson(labels, cosines)}
        return recall_at(outputs, features["text_ids"], (1, 5, 10))

    def write_predictions(self, folder, split, features, outputs, scores):
        folder, examples = pathlib.Path(folder), self.splits[split]
        if outputs.shape[1] == 1:
            path = folder / f"{split}.npy"
            with new_file(path) as partial, open(partial, "wb") as file:
                np.save(file, outputs[:, 0])
            return [path]
        path = folder / f"{split}.tsv"
        scored = "label_ids" in features
        rows = [["index", "prediction", *(["label"] if scored else [])]]
        for example, cosine in zip(examples, _cosines(outputs)):
            label = [f"{example.label:g}"] if scored else []
            rows.append([" ".join(example.guid.split()), f"{cosine:.4f}", *label])
        write_file(path, "".join("\t".join(row) + "\n" for row in rows))
        return [path]

    def record(self, recipe):
        told = {"text_inputs": ["text"], "pooling": "mean", "layer": -1, "normalize": True}
        return {**super().record(recipe), **told}

    def export(self, model, path, vocabulary, recipe, scores):
        return export_embedder(
            model.encoder,
            path,
            vocabulary,
            rules=self.tokenizer.rules,
            seq_length=recipe.max_seq_length,
            overwrite=True,
        )


def embedding_task(
    name,
    data_dir=None,
    train_file=None,
    dev_file=None,
    test_file=None,
    text_column=None,
    pair_column=None,
    label_column=None,
    id_column=None,
    teacher=None,
    temperature=0.05,
):
    """Vectors of your own texts; the form of the data decides how they are learned.

    | train has | the loss of a row |
    |---|---|
    | texts, and there is a teacher | 1 - cosine of vector and teacher's vector |
    | pairs of texts of one meaning, perhaps with negatives | cross entropy of finding the partner |
    | pairs with a score of similarity | squared difference of cosine and score |

    The teacher's vectors are reduced to the encoder's width by their principal directions, which
    keeps the cosines between them as far as so many numbers can; a teacher of fewer numbers is
    filled up with zeros, which keeps them all. So there is no layer to keep or to drop. (For
    vectors of length 1, half their squared distance is 1 - cosine.) The partner of a text is to be
    found among the second texts and the negatives of the batch, of each device and each part of an
    accumulated batch by itself; texts that are the same count once. Scores beyond [-1, 1] are
    brought to [0, 1] by the least and the greatest of the training set.

    Args:
      name: "embedding".
      data_dir: Folder with train.csv and perhaps dev.csv and test.csv (or .tsv, .jsonl, .json,
        .txt; or .csv.gz and the like). They need not be of one form.
      train_file, dev_file, test_file: The files themselves.
      text_column, pair_column, label_column, id_column: Names of the columns; see
        `albert_tf.data.tasks.embedding.read_embedding`.
      teacher: A file of the training texts' vectors, .npy or .parquet, or the directory of a
        sentence encoder; see `albert_tf.training.finetuning.teacher.teacher_vectors`. A directory
        is computed at every start: of many texts, make a file once.
      temperature: What cosines are divided by, for pairs without scores.
    """
    given = {"train": train_file, "dev": dev_file, "test": test_file}

    def read(path, labels, is_labeled):
        return read_embedding(path, text_column, pair_column, label_column, id_column)

    splits = read_splits(split_files(data_dir, EMBEDDING_ENDINGS, given), read)
    if teacher is not None:
        _teach(splits, teacher)
    return EmbeddingTask(name, splits, temperature)


# === Losses: functions (outputs [batch, texts, H], targets) -> float32 [batch] ===


def teacher_loss(basis):
    """1 - cosine to the teacher's `vectors` [batch, D], brought to H numbers by `basis` [D, H]."""

    def loss(outputs, targets):
        wanted = tf.math.l2_normalize(tf.matmul(targets["vectors"], basis), -1)
        return 1.0 - tf.reduce_sum(outputs[:, 0] * wanted, -1)

    return loss


def pairs_loss(temperature):
    """Cross entropy of finding each text's partner among the other texts of the batch.

    Reference: arXiv 1705.00652, section 4.4, with the cosine as score.
    """

    def loss(outputs, targets):
        ids, real = targets["text_ids"], targets["weights"] > 0
        width, others = outputs.shape[-1], ids.shape[1] - 1
        candidates = tf.reshape(tf.transpose(outputs[:, 1:], [1, 0, 2]), [-1, width])
        candidate_ids = tf.reshape(tf.transpose(ids[:, 1:]), [-1])
        cosines = tf.matmul(outputs[:, 0], candidates, transpose_b=True)
        # The first [batch] candidates are the partners, each in the row of its text.
        is_own = tf.eye(tf.shape(outputs)[0], tf.shape(candidates)[0], dtype=tf.bool)
        is_same = (candidate_ids == ids[:, 0:1]) | (candidate_ids == ids[:, 1:2])
        left_out = (is_same | ~tf.tile(real, [others])) & ~is_own
        logits = tf.where(left_out, -1e9, cosines / temperature)
        own = tf.linalg.diag_part(logits)
        return tf.reduce_logsumexp(logits, -1) - own

    return loss


def scores_loss(limits):
    """Squared difference of the cosine and `labels` [batch], brought from `limits` to [0, 1]."""
    low, high = limits

    def loss(outputs, targets):
        cosines = tf.reduce_sum(outputs[:, 0] * outputs[:, 1], -1)
        return tf.square(cosines - (targets["labels"] - low) / (high - low))

    return loss


def score_range(scores):
    """(score of cosine 0, score of cosine 1): (0, 1) of scores that are cosines already."""
    scores = list(scores)
    low, high = min(scores), max(scores)
    if -1.0 <= low and high <= 1.0:
        return 0.0, 1.0
    if low == high:
        raise ValueError(f"Scores to learn from must differ. Received: {low:g} for all pairs.")
    return low, high


def principal(vectors, config):
    """The orthonormal directions [D, H] in which vectors [N, D] have most of their length.

    Of D < H directions the others are zero, so that all cosines stay.
    """
    vectors, width = _unit(vectors), config.hidden_size
    products = sum(x.T @ x for x in np.array_split(np.float64(vectors), max(len(vectors) >> 16, 1)))
    basis = np.linalg.eigh(products)[1][:, ::-1][:, :width].astype(np.float32)
    return np.pad(basis, [[0, 0], [0, width - basis.shape[1]]])


def _form(examples):
    """What a split has: "vectors", "pairs" or "scores"; None of texts alone."""
    first = examples[0]
    if first.vector is not None:
        return "vectors"
    if first.text_b is None:
        return None
    return "pairs" if first.label is None else "scores"


def _teach(splits, teacher):
    """Gives texts alone their vectors: those of "train", and of "dev" where they are computed."""
    alone = [split for split in ("train", "dev") if split in splits and not _form(splits[split])]
    if "train" not in alone:
        raise ValueError(
            "A teacher's vectors are of texts, not of pairs. Received: teacher="
            f"{str(teacher)!r} (--teacher) with the pairs of {splits['train'].files[0]}. Leave one "
            "out."
        )
    for split in alone[:1] if is_file(teacher) else alone:
        examples = splits[split]
        vectors = teacher_vectors(teacher, [example.text_a for example in examples])
        examples.examples = [
            dataclasses.replace(example, vector=vector.tobytes())
            for example, vector in zip(examples, vectors)
        ]


def _cosines(outputs):
    return np.sum(outputs[:, 0] * outputs[:, 1], -1, np.float64)


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
