"""What the heads' weights are called in fine-tuned checkpoints, for importers."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class HeadWeight:
    """A weight of a head, here and elsewhere.

    Attributes:
      name: Ours, as in `weights_by_name()`.
      original: Google's name in a TF1 checkpoint, or None if its code has no such head.
      hugging_face: The name in `model.safetensors`, or None if it has no such head.
      original_transposed: Whether Google stores it as [output, input]. Hugging Face does so with
        every kernel.
    """

    name: str
    original: str | None = None
    hugging_face: str | None = None
    original_transposed: bool = False


# AlbertClassifier (run_classifier.py; AlbertForSequenceClassification) and AlbertMultipleChoice
# (run_race.py; AlbertForMultipleChoice).
CLASSIFIER_WEIGHTS = (
    HeadWeight("classifier/kernel", "output_weights", "classifier.weight", True),
    HeadWeight("classifier/bias", "output_bias", "classifier.bias"),
)

# AlbertTokenClassifier (AlbertForTokenClassification).
TOKEN_CLASSIFIER_WEIGHTS = (
    HeadWeight("classifier/kernel", None, "classifier.weight"),
    HeadWeight("classifier/bias", None, "classifier.bias"),
)

# AlbertSpanLabeler (run_squad_v1.py; AlbertForQuestionAnswering).
SPAN_WEIGHTS = (
    HeadWeight("span/kernel", "cls/squad/output_weights", "qa_outputs.weight", True),
    HeadWeight("span/bias", "cls/squad/output_bias", "qa_outputs.bias"),
)

# AlbertSpanLabeler(version_2=True) (run_squad_v2.py), in the order of `weights_by_name()`.
CONDITIONAL_SPAN_WEIGHTS = tuple(
    HeadWeight(name, name)
    for name in (
        "start_logits/dense/kernel",
        "start_logits/dense/bias",
        "end_logits/dense_0/kernel",
        "end_logits/dense_0/bias",
        "end_logits/LayerNorm/gamma",
        "end_logits/LayerNorm/beta",
        "end_logits/dense_1/kernel",
        "end_logits/dense_1/bias",
        "answer_class/dense_0/kernel",
        "answer_class/dense_0/bias",
        "answer_class/dense_1/kernel",
    )
)
