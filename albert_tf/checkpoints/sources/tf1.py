"""Reads name-based TensorFlow checkpoints with the names of google-research/albert."""

import pathlib
import re

import tensorflow as tf

from albert_tf.checkpoints.files.bundle import data_files, index_file, open_bundle, prefix_of
from albert_tf.checkpoints.names.flavors import rules
from albert_tf.config import AlbertConfig
from albert_tf.messages import brief, listed

# THE pattern of what training leaves in a checkpoint beside the weights:
#   <variable>/adam_m, adam_v    google-research/albert, AdamW and LAMB alike
#   <variable>/lamb_m, lamb_v    brightmart/albert_zh
#   <variable>/Adam, Adam_1      optimizers of TensorFlow 1 call a slot by their own name
#   beta1_power, beta2_power     their bias correction
#   global_step                  the number of updates
_TRAINING_STATE = re.compile(
    r"(?P<slot>.+/(adam_[mv]|lamb_[mv]|(Adam|AdamW|AdamWeightDecayOptimizer|LAMB|LAMBOptimizer)(_\d+)?)"
    r"|beta[12]_power(_\d+)?)"
    r"|global_step"
)

# A file `checkpoint` is a few lines.
_MOST_STATE_BYTES = 1 << 20
# A variable that every ALBERT has.
_LANDMARK = "bert/embeddings/word_embeddings"

# Heads of the original's fine-tuning programs.
_TASK_HEADS = {
    "head of run_classifier.py or run_race.py": r"output_(weights|bias)",
    "head of run_squad_v1.py": r"cls/squad/output_(weights|bias)",
    "head of run_squad_v2.py": (
        r"(start_logits/dense|end_logits/dense_[01]|end_logits/LayerNorm|answer_class/dense_[01])"
        r"/(kernel|bias|gamma|beta)"
    ),
}


def find_prefix(path):
    """The prefix of a checkpoint's files, or None where there is no such checkpoint.

    Args:
      path: pathlib.Path of a directory, of one of the files, or their common prefix.

    Raises:
      FileNotFoundError: Some of the checkpoint's files are there, but not its index.
      ValueError: A directory holds several checkpoints and does not say which one counts.
    """
    if path.is_dir():
        return _prefix_in_directory(path)
    prefix = prefix_of(path)
    if index_file(prefix).is_file():
        return prefix
    if path != prefix or data_files(prefix):
        raise FileNotFoundError(
            f"A TF1 checkpoint needs its .index file. Received: {str(path)!r} without "
            f"{index_file(prefix).name!r}. Put it beside the data file."
        )
    return None


def open_tensors(prefix):
    """Opens a checkpoint and checks that its files are complete, without reading a tensor.

    Names may carry a prefix, such as "module/" where a program trained with `hub.Module`; it is
    left out of the names returned.

    Args:
      prefix: pathlib.Path, the prefix of its files.

    Returns:
      ({name: TensorSpec}, {name: reason to ignore it}, function from a name to its numpy array)

    Raises:
      FileNotFoundError: A data file is missing.
      ValueError: A file is damaged, the variables are not ALBERT's, or TensorFlow cannot open
        such a path.
    """
    stored, get = open_bundle(prefix)
    scope = _scope(prefix, stored)
    tensors = {name.removeprefix(scope): spec for name, spec in stored.items()}
    _check_names(prefix, tensors)
    ignored = {name: reason for name in tensors if (reason := ignored_reason(name))}
    return tensors, ignored, lambda name: get(scope + name if scope + name in stored else name)


def ignored_reason(name):
    """Why a variable of an original checkpoint is no weight of ALBERT, or None if it may be one."""
    if match := _TRAINING_STATE.fullmatch(name):
        return "optimizer slot" if match["slot"] else "step counter"
    for reason, pattern in _TASK_HEADS.items():
        if re.fullmatch(pattern, name):
            return reason
    return None


def _prefix_in_directory(directory):
    prefixes = [file.with_suffix("") for file in sorted(directory.glob("*.index"))]
    if (directory / "checkpoint").is_file():
        return _stated_prefix(directory, prefixes)
    if len(prefixes) > 1:
        raise ValueError(
            "A directory with several checkpoints must say in a file `checkpoint` which one "
            f"counts. Received: {str(directory)!r} with {_names(prefixes)}. Pass one of these "
            "paths instead."
        )
    if not prefixes and (data := sorted(directory.glob("*.data-?????-of-?????"))):
        raise FileNotFoundError(
            f"A TF1 checkpoint needs its .index file. Received: {str(directory)!r} with "
            f"{_names(data)} only. Put the .index beside the data file."
        )
    return prefixes[0] if prefixes else None


def _stated_prefix(directory, prefixes):
    small = (directory / "checkpoint").stat().st_size <= _MOST_STATE_BYTES
    state = tf.train.get_checkpoint_state(str(directory)) if small else None
    if state is None:
        raise ValueError(
            "The file `checkpoint` of a directory must name a checkpoint. Received: "
            f"{str(directory / 'checkpoint')!r}, which does not. Pass the checkpoint's own path: "
            f"{_names(prefixes) or 'there is none'}."
        )
    # Files get copied: Google's own carry a path of Google's. The name counts, in this directory.
    stated = pathlib.Path(state.model_checkpoint_path)
    for prefix in (stated, directory / stated.name):
        if prefix.is_relative_to(directory) and index_file(prefix).is_file():
            return prefix
    raise FileNotFoundError(
        f"The checkpoint that a directory's file `checkpoint` names must exist. Received: "
        f"{str(directory)!r} without {index_file(stated).name!r}. Pass the path of the one to "
        f"load: {_names(prefixes) or 'there is none'}."
    )


def _scope(prefix, stored):
    """What stands before the original's names, such as "module/"; mostly nothing."""
    scopes = [n.removesuffix(_LANDMARK) for n in stored if ("/" + n).endswith("/" + _LANDMARK)]
    if len(scopes) > 1:
        raise ValueError(
            "A checkpoint must hold one ALBERT. Received: "
            f"{str(prefix)!r} with {len(scopes)}, called {listed(map(brief, sorted(scopes)))}. "
            "Save the one to load by itself."
        )
    return scopes[0] if scopes else ""


def _check_names(prefix, tensors):
    if "_CHECKPOINTABLE_OBJECT_GRAPH" in tensors:
        raise ValueError(
            "A TF1 checkpoint must hold variables by name. Received: "
            f"{str(prefix)!r}, an object-based checkpoint (tf.train.Checkpoint, or save_weights of "
            "Keras). Load it with the code that wrote it, and pass a SavedModel or a checkpoint "
            "with the original's names."
        )
    known = {rule.stored_name for rule in rules(AlbertConfig(vocab_size=1), "tf1")}
    if known.isdisjoint(tensors):
        raise ValueError(
            "An ALBERT checkpoint must hold variables such as 'bert/embeddings/word_embeddings'. "
            f"Received: {str(prefix)!r} with {len(tensors)} variables: "
            f"{listed(tensors) or 'none'}. Pass a checkpoint of google-research/albert, before "
            "anything renamed its variables."
        )


def _names(paths):
    return listed((path.name for path in paths), most=10)
