"""The flags of commands that load a model for a task."""

from absl import flags

from albert_tf.commands.vocabulary_flags import vocabulary_arguments

FLAG_GROUPS = {"task": "task (each setting has a default: what the model tells)"}

TASK = flags.DEFINE_string(
    "task",
    None,
    "classifier, token-classifier, span-labeler, multiple-choice, embedding or fill-mask. Default: "
    "what the model was trained for.",
)
SETTINGS = {
    "rules": flags.DEFINE_string("rules", None, "Text rules of the training: original or tfhub."),
    "seq_length": flags.DEFINE_integer("seq_length", None, "Longest input in tokens."),
    "labels": flags.DEFINE_list("labels", None, "Names of the classes, in order."),
    "pairs": flags.DEFINE_bool("pairs", None, "classifier: a text is a pair of texts."),
    "problem_type": flags.DEFINE_string(
        "problem_type",
        None,
        "classifier: single_label_classification, multi_label_classification or regression.",
    ),
    "threshold": flags.DEFINE_float(
        "threshold", None, "Several labels a text: probability from which one is predicted."
    ),
    "pooling": flags.DEFINE_string("pooling", None, "embedding: mean (default), cls or pooled."),
    "layer": flags.DEFINE_integer("layer", None, "embedding: layer, -1 (default) is the last."),
    "normalize": flags.DEFINE_bool("normalize", None, "embedding: vectors of length 1 (default)."),
}


def given_settings():
    """The settings that were given, as arguments of `checkpoint_task` and `Predictor`."""
    given = {**{name: flag.value for name, flag in SETTINGS.items()}, **vocabulary_arguments()}
    return {name: value for name, value in given.items() if value is not None}
