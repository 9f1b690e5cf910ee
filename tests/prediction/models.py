"""Small models of every task, as SavedModels; what each is asked."""

import albert_tf
from albert_tf.saved_model.checkpoint_task import TASK_NAMES
from tests.saved_model.task_exports import small_encoder

LENGTHS = {"seq_length": 32}
TEXTS = [
    "The licence, as is.",
    "Zürich",
    "",
    "a much longer text than all the others of the batch",
    "One more , shorter .",
]
QUESTIONS = [("What is it?", text) for text in TEXTS]
CHOICES = [
    ("The text is here.", "It is _ .", ("here", "there")),
    ("Another one.", "What?", ("this", "that", "nothing of it")),
    ("A third.", "Which _ is it?", ("one", "two")),
]
MASKED = ["The [MASK] is free.", "[MASK] of the [MASK]", "what a [MASK]"]
INPUTS = {
    "classifier": TEXTS,
    "pairs": list(zip(TEXTS, reversed(TEXTS))),
    "multi-label": TEXTS,
    "regression": TEXTS,
    "token-classifier": TEXTS,
    "span-labeler": QUESTIONS,
    "multiple-choice": CHOICES,
    "embedding": TEXTS,
    "fill-mask": MASKED,
}
assert set(TASK_NAMES) <= set(INPUTS)


def export(kind, path, sp_model, **options):
    """Writes the model of a kind, a key of `INPUTS`, with weights that are always the same."""
    encoder = small_encoder()
    labels = ["no", "maybe", "yes"]
    if kind in ("classifier", "pairs"):
        model = albert_tf.AlbertClassifier(encoder, 3)
        how = {"labels": labels, "pairs": kind == "pairs", **LENGTHS}
        return albert_tf.export_classifier(model, path, sp_model, **how, **options)
    if kind == "multi-label":
        model = albert_tf.AlbertClassifier(encoder, 3, problem_type="multi_label_classification")
        how = {"labels": labels, "threshold": 0.4, **LENGTHS}
        return albert_tf.export_classifier(model, path, sp_model, **how, **options)
    if kind == "regression":
        model = albert_tf.AlbertClassifier(encoder, 1)
        return albert_tf.export_classifier(model, path, sp_model, **LENGTHS, **options)
    if kind == "token-classifier":
        model = albert_tf.AlbertTokenClassifier(encoder, 3)
        labels = ["O", "B-X", "I-X"]
        return albert_tf.export_token_classifier(
            model, path, sp_model, labels, stride=8, **LENGTHS, **options
        )
    if kind == "span-labeler":
        model = albert_tf.AlbertSpanLabeler(encoder)
        how = {"doc_stride": 8, "max_query_length": 8, **LENGTHS}
        return albert_tf.export_span_labeler(model, path, sp_model, **how, **options)
    if kind == "multiple-choice":
        model = albert_tf.AlbertMultipleChoice(encoder)
        return albert_tf.export_multiple_choice(model, path, sp_model, **LENGTHS, **options)
    if kind == "embedding":
        return albert_tf.export_embedder(encoder, path, sp_model, **LENGTHS, **options)
    model = albert_tf.AlbertPretrainer(encoder)
    return albert_tf.export_fill_mask(model, path, sp_model, top_k=3, **LENGTHS, **options)
