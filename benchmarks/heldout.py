"""Masked LM and sentence order of a checkpoint, and of random weights, on held-out records."""

import json

from albert_tf.data.pretraining.reader import PretrainingRecords
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import AdamW
from albert_tf.training.pretraining.pretrain import evaluate_pretraining, pretraining_terms

_COLUMNS = ("mlm_accuracy", "mlm_perplexity", "sop_accuracy")


def heldout_scores(checkpoint, config, directory, cache):
    """A Markdown table of both; computed once and kept in the file `cache`."""
    if not cache.is_file():
        models = {
            f"`{checkpoint}`": AlbertPretrainer.from_checkpoint(checkpoint),
            "random weights": AlbertPretrainer(AlbertEncoder.from_albert_config(config)),
        }
        records = PretrainingRecords(directory)
        scores = {name: _evaluate(model, records) for name, model in models.items()}
        scores = {"records": records.num_records, "length": records.max_seq_length, **scores}
        cache.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    scores = json.loads(cache.read_text(encoding="utf-8"))
    lines = [
        f"{scores.pop('records')} records of {scores.pop('length')} tokens.\n",
        "| weights | masked LM accuracy | masked LM perplexity | sentence order accuracy |",
        "|---|---|---|---|",
    ]
    for name, values in scores.items():
        numbers = " | ".join(
            f"{values[column]:.{3 if values[column] < 1 else 0}f}" for column in _COLUMNS
        )
        lines.append(f"| {name} | {numbers} |")
    return "\n".join(lines)


def heldout_explanation():
    """What the table's numbers mean."""
    return (
        "Books and speeches that training has not seen. Masks are n-grams of up to three whole "
        "words,\n15 % of the tokens; chance is 0.5 for the sentence order."
    )


def _evaluate(model, records):
    terms, metrics = pretraining_terms()
    step = TrainStep(model, terms, AdamW(0.0), metrics=metrics)
    return evaluate_pretraining(step, records, batch_size=32)
