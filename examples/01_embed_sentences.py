"""Vectors of sentences, and how similar the sentences are.

    python examples/01_embed_sentences.py

exports an encoder and a preprocessor from the small model that the package carries, loads both into
a Keras model, prints the similarity matrix of six sentences and writes it as a heat map. About 30 s
on two CPU cores.

With a published checkpoint, such as the unpacked albert_base_v2.tar.gz, and any file of lines:

    python examples/01_embed_sentences.py --checkpoint=albert_base \
        --sp_model=albert_base/30k-clean.model --input=sentences.txt --output=my_sentences

A column of a TSV file, such as GLUE's SST-2: `--input=SST-2/dev.tsv --column=sentence`.

The vector of a sentence is the mean of `sequence_output` over its tokens. `pooled_output` was
trained to tell the order of sentences, not their meaning.

`hub.KerasLayer` computes the same vectors; with tensorflow-hub installed, that is checked. Under
TF_USE_LEGACY_KERAS=1 the whole program runs in Keras 2.
"""

import csv
import pathlib

from absl import flags
import albert_tf
from albert_tf import albert_tiny_en
from albert_tf.commands.run import run
import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the ops of the preprocessor)
from tqdm import tqdm

SENTENCES = [
    "I like my phone.",
    "My phone is not good.",
    "Will it snow tomorrow?",
    "Recently a lot of hurricanes have hit the US.",
    "How old are you?",
    "What is your age?",
]
MOST_SIMILARITIES = 5000  # Sentences; the matrix has their square.

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", "albert_tiny_en", "Checkpoint. Default: the small one of the package."
)
SP_MODEL = flags.DEFINE_string(
    "sp_model", None, "SentencePiece model of --checkpoint. Default: that of the package."
)
INPUT = flags.DEFINE_string("input", None, "Text file, a sentence a line. Default: six sentences.")
COLUMN = flags.DEFINE_string("column", None, "Read --input as TSV with a header: this column.")
OUTPUT = flags.DEFINE_string("output", "exported", "Directory for all files; made anew.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Sentences at a time.", lower_bound=1)
SEQ_LENGTH = flags.DEFINE_integer("seq_length", 128, "Tokens a sentence; longer ones are cut.")


def read_sentences(path, column=None):
    """The lines of a UTF-8 file, or one column of a TSV file with a header and no quoting."""
    with open(path, encoding="utf-8", newline="") as file:
        if column is None:
            sentences = file.read().splitlines()
        else:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            if column not in (rows.fieldnames or ()):
                raise ValueError(
                    f"--column must be in the header of {path}. Received: {column!r}. Columns: "
                    f"{', '.join(rows.fieldnames or ())}."
                )
            sentences = [row[column] for row in rows]
    if not sentences:
        raise ValueError(f"--input must have a sentence a line. Received: {path}, which is empty.")
    return sentences


def export(directory):
    """Checkpoint in, two SavedModels out."""
    sp_model = SP_MODEL.value
    if sp_model is None:
        if CHECKPOINT.value != "albert_tiny_en":
            raise ValueError("--checkpoint needs --sp_model, the vocabulary it was trained with.")
        sp_model = albert_tiny_en.SP_MODEL
    encoder = albert_tf.AlbertPretrainer.from_checkpoint(CHECKPOINT.value)
    print(encoder.restore_report)
    paths = directory / "preprocessor", directory / "encoder"
    albert_tf.export_preprocessor(sp_model, paths[0], seq_length=SEQ_LENGTH.value, overwrite=True)
    checks = albert_tf.export_encoder(encoder, paths[1], sp_model=sp_model, overwrite=True)
    print(f"{len(checks)} checks passed; wrote {paths[0]} and {paths[1]}")
    return map(str, paths)


def embed(preprocessor, encoder, sentences):
    """[batch] texts -> [batch, H] vectors: the mean of the tokens' vectors."""
    inputs = preprocessor(sentences)
    vectors = encoder(inputs)["sequence_output"]
    mask = tf.cast(inputs["input_mask"], vectors.dtype)[:, :, tf.newaxis]
    return tf.reduce_sum(vectors * mask, axis=1) / tf.reduce_sum(mask, axis=1)


def cosine(vectors):
    """[N, H] -> [N, N] cosine similarities."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def main():
    directory = pathlib.Path(OUTPUT.value)
    sentences = read_sentences(INPUT.value, COLUMN.value) if INPUT.value else SENTENCES
    preprocessor_path, encoder_path = export(directory)

    preprocessor = albert_tf.KerasLayer(preprocessor_path)
    encoder = albert_tf.KerasLayer(encoder_path)
    step = tf.function(
        lambda texts: embed(preprocessor, encoder, texts),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    batches = tf.data.Dataset.from_tensor_slices(sentences).batch(BATCH_SIZE.value)
    vectors = []
    with tqdm(total=len(sentences), unit=" sentences") as progress:
        for texts in batches:
            vectors.append(step(texts).numpy())
            progress.update(len(vectors[-1]))
    vectors = np.concatenate(vectors)
    np.save(directory / "vectors.npy", vectors)
    print(f"wrote {directory / 'vectors.npy'}: {vectors.shape[0]} vectors of {vectors.shape[1]}")

    try:
        import tensorflow_hub as hub
    except ImportError as error:
        print(f"hub.KerasLayer not compared: {error}")
    else:
        few = tf.constant(sentences[: BATCH_SIZE.value])
        peer = embed(hub.KerasLayer(preprocessor_path), hub.KerasLayer(encoder_path), few)
        difference = np.abs(peer - vectors[: len(few)]).max()
        print(f"hub.KerasLayer computes the same to {difference:.1e}")

    if len(sentences) > MOST_SIMILARITIES:
        print(f"no similarity matrix: more than {MOST_SIMILARITIES} sentences")
        return
    similarity = cosine(vectors)
    np.save(directory / "similarity.npy", similarity)
    albert_tf.draw_heat_map(
        vectors, sentences, directory / "similarity.png", most=MOST_SIMILARITIES
    )
    print(f"wrote {directory / 'similarity.npy'} and {directory / 'similarity.png'}")
    if len(sentences) <= 30:
        for row, sentence in zip(similarity, sentences):
            print(" ".join(f"{value:5.2f}" for value in row), " ", sentence)


if __name__ == "__main__":
    run(main)
