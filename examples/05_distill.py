"""Trains the packaged model: the teacher's vectors of sentences, and masked LM and sentence order.

    python examples/05_distill.py --work=WORK --output=RUN --texts=311296 --steps=6000
    python examples/05_distill.py --work=WORK --output=RUN2 --texts=311296 --steps=6000 \
        --init_from=RUN --records=train_128 --heldout=heldout_128

WORK is what the steps before it in 05_make_albert_mini_en.sh leave. Without --init_from, the word
table begins as the teacher's vectors of the pieces. Without --records, sentences alone are learned.
The last 4,096 of the texts are held out. The same command goes on after an interruption.
"""

import argparse
import pathlib

import albert_tf
from albert_tf.atomic import write_file
from albert_tf.task_record import write_task
from albert_tf.training.engine.callbacks import Callback
from albert_tf.training.engine.evaluation import evaluate_terms
from albert_tf.training.engine.history import History, plot_curves
from albert_tf.training.engine.loop import train
from albert_tf.training.engine.losses import MeanOf
from albert_tf.training.engine.progress import Progress
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import AdamW
from albert_tf.training.optimizers.schedules import WarmupPolynomialDecay
from albert_tf.training.pretraining.pretrain import pretraining_terms
import numpy as np
import tensorflow as tf

LENGTH, HELD_OUT, SHARD = 48, 4096, 4096
WEIGHT = 10.0  # Of the distance to the teacher, which is some 0.2 where masked LM is some 4.
CONFIG = albert_tf.AlbertConfig(
    vocab_size=16000,
    embedding_size=160,
    hidden_size=256,
    num_hidden_layers=4,
    num_attention_heads=4,
    intermediate_size=1024,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)


class Student(albert_tf.AlbertPretrainer):
    """The pre-trainer that also answers with the mean vectors of sentences, "vectors"."""

    def call(self, inputs, training=None, mask=None):
        sentences = inputs["sentences"]
        records = {name: x for name, x in inputs.items() if name != "sentences"}
        outputs = super().call(records, training) if records else {}
        ids = tf.reshape(sentences, [-1, LENGTH])
        mask = tf.cast(ids != 0, tf.int32)
        tokens = self.encoder.encode(ids, mask, tf.zeros_like(ids), training)["sequence_output"]
        weights = tf.cast(mask, tf.float32)[:, :, tf.newaxis]
        mean = tf.reduce_sum(tf.cast(tokens, tf.float32) * weights, 1) / tf.reduce_sum(weights, 1)
        vectors = tf.math.l2_normalize(mean, -1)
        shape = [*sentences.shape[:2], vectors.shape[-1]]
        return {**outputs, "vectors": tf.reshape(vectors, shape)}


class Sentences:
    """Ids [texts, LENGTH] of the first texts, and the teacher's vectors of them reduced to H."""

    def __init__(self, work, count, tokenizer):
        paths = [work / "vectors" / f"{i:05}.npy" for i in range(-(-count // SHARD))]
        if missing := [path.name for path in paths if not path.exists()]:
            raise SystemExit(f"05_teacher.py has not made {missing[0]} yet, of {len(paths)} files.")
        vectors = np.concatenate([np.load(path) for path in paths])[:count]
        self.basis = principal(vectors[: 16 * SHARD])
        targets = [
            x.astype(np.float32) @ self.basis[:, : CONFIG.hidden_size]
            for x in np.array_split(vectors, len(paths))
        ]
        self.targets = np.concatenate([unit(x).astype(np.float16) for x in targets])
        cache = work / f"ids_{count}.npy"
        if not cache.exists():
            write_ids(work / "sentences.txt", count, tokenizer, cache)
        self.ids = np.load(cache)

    def dataset(self, rows, each, seed=None, epoch=0):
        """Batches of [rows, each] sentences and vectors; those held out without a seed."""
        count = len(self.ids) - HELD_OUT
        order = np.arange(count, count + HELD_OUT)
        if seed is not None:
            order = np.random.default_rng([seed, epoch]).permutation(count)
        order = order[: len(order) // (rows * each) * rows * each].reshape(-1, rows, each)
        shapes = [rows, each, LENGTH], [rows, each, CONFIG.hidden_size]

        def batch(picked):
            ids, targets = tf.numpy_function(
                lambda i: (self.ids[i].astype(np.int32), self.targets[i].astype(np.float32)),
                [picked],
                [tf.int32, tf.float32],
            )
            return {"sentences": tf.ensure_shape(ids, shapes[0])}, {
                "teacher": tf.ensure_shape(targets, shapes[1])
            }

        return tf.data.Dataset.from_tensor_slices(order).map(batch, deterministic=True)


class Print(Callback):
    def on_evaluation(self, step, metrics):
        print(f"\n{step}: " + ", ".join(f"{k} {v:.4f}" for k, v in metrics.items()), flush=True)


def main(args):
    work, output = pathlib.Path(args.work), pathlib.Path(args.output)
    sp_model = work / "en16k.model"
    sentences = Sentences(work, args.texts, albert_tf.ReferenceTokenizer(sp_model))
    rows, each = (16, args.batch // 16) if args.records else (args.batch, 1)
    opened = {
        name: albert_tf.PretrainingRecords(work / path, sp_model)
        for name, path in (("train", args.records), ("heldout", args.heldout))
        if path
    }
    tf.keras.utils.set_random_seed(args.seed)
    model = student(args.init_from, work, sentences.basis)
    for directory in (output, output / "states"):
        write_file(directory / "albert_config.json", CONFIG.to_json() + "\n")
    write_file(output / "sentencepiece.model", sp_model.read_bytes())
    write_task(output, {"task": "pretraining", "rules": "original"})

    def data(records, seed=None, epoch=0):
        dataset = sentences.dataset(rows, each, seed, epoch)
        if records is not None:
            both = tf.data.Dataset.zip(dataset, records.batches(rows, seed, epoch))
            dataset = both.map(lambda a, b: ({**a[0], **b[0]}, {**a[1], **b[1]}))
        return dataset.prefetch(4)

    def cosine(outputs, targets):
        return tf.reduce_mean(tf.reduce_sum(outputs["vectors"] * targets["teacher"], -1), -1)

    losses, metrics = pretraining_terms() if args.records else ({}, {})
    losses["distance"] = MeanOf(lambda outputs, targets: WEIGHT * (1 - cosine(outputs, targets)))
    metrics["cosine"] = MeanOf(cosine)
    schedule = WarmupPolynomialDecay(args.learning_rate, args.steps, min(300, args.steps // 10))
    step = TrainStep(model, losses, AdamW(schedule), metrics=metrics, seed=args.seed)
    state = train(
        step,
        lambda seed, epoch: data(opened.get("train"), seed, epoch),
        args.steps,
        output,
        seed=args.seed,
        steps_per_epoch=(args.texts - HELD_OUT) // (rows * each),
        save_every=200,
        evaluate=lambda: evaluate_terms(step, lambda *_: data(opened.get("heldout"))),
        evaluate_every=max(args.steps // 10, 1),
        callbacks=[Progress(), History(output), Print()],
    )
    if state.stopped_by is None:
        plot_curves(output, list(losses), smooth=0.98)
    print(f"step {state.step}, {state.seconds / 60:.1f} minutes")


def student(init_from, work, basis):
    """A `Student` with a checkpoint's weights, or with those that the teacher's begin it with."""
    how = {"dtype": "mixed_bfloat16", "skip_padding": True}
    if init_from:
        held = albert_tf.AlbertPretrainer.from_checkpoint(init_from, CONFIG, **how)
        return Student(held.encoder, held.masked_lm or "new", held.sentence_order or "new")
    model = Student(albert_tf.AlbertEncoder.from_albert_config(CONFIG, **how))
    pieces = np.concatenate([np.load(path) for path in sorted((work / "pieces").glob("*.npy"))])
    width = CONFIG.embedding_size
    table = 0.5 * unit(pieces.astype(np.float32) @ basis[:, :width])
    embeddings = model.encoder.embeddings
    words, positions = (embeddings.word_embeddings, embeddings.position_embedding)
    table[:5] = np.asarray(words.embeddings)[:5]  # <pad>, <unk>, [CLS], [SEP] and [MASK].
    words.embeddings.assign(table)
    positions.embeddings.assign(0.3 * np.asarray(positions.embeddings))
    kernel = model.encoder.embedding_projection.kernel
    kernel.assign(np.asarray(kernel) * 0.1 + np.eye(width, CONFIG.hidden_size, dtype=np.float32))
    return model


def write_ids(path, count, tokenizer, output):
    ids = np.zeros([count, LENGTH], np.uint16)
    special = tokenizer.special_ids
    first, last = special["start_of_sequence_id"], special["end_of_segment_id"]
    with open(path, encoding="utf-8") as file:
        for row, text in zip(ids, file):
            pieces = [first, *tokenizer.encode(text)[: LENGTH - 2], last]
            row[: len(pieces)] = pieces
    np.save(partial := output.with_suffix(".partial.npy"), ids)
    partial.replace(output)


def principal(vectors):
    """Orthonormal directions [D, D] of vectors [N, D], those with most of their length first."""
    x = vectors.astype(np.float64)
    return np.linalg.eigh(x.T @ x)[1][:, ::-1].astype(np.float32)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--work", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--texts", type=int, required=True, help="how many to learn from")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--init_from")
    parser.add_argument("--records")
    parser.add_argument("--heldout")
    parser.add_argument("--batch", type=int, default=256, help="sentences a step")
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if bool(arguments.records) != bool(arguments.heldout):
        parser.error("--records and --heldout go together.")
    main(arguments)
