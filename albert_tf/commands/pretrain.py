"""Pre-trains an ALBERT (masked LM and sentence order) on records of `pretraining-data`.

Run the same command again to go on after an interruption.
"""

import os
import sys

from absl import flags

from albert_tf.commands.run import run
from albert_tf.commands.run_flags import RUN_FLAGS
from albert_tf.training.run_options import OPTIMIZERS

_DATA = flags.DEFINE_list(
    "data",
    None,
    "Directories of records, one for each stage: short sequences first. 90 % of the steps with 128 "
    "tokens and the rest with 512 save most of the time.",
    required=True,
)
_TRAIN_STEPS = flags.DEFINE_list("train_steps", ["125000"], "Updates, a number for each stage.")
_BATCH_SIZE = flags.DEFINE_list(
    "batch_size", ["4096"], "Records of a batch on all devices, a number for each stage."
)
_HELDOUT = flags.DEFINE_string("heldout", None, "Directory of records to evaluate on.")
_SP_MODEL = flags.DEFINE_string(
    "sp_model",
    None,
    "SentencePiece model that the records were made with. Default: the one that lies with "
    "--init_from.",
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "Directory of the run; it can be read as a checkpoint.", required=True
)
_CONFIG = flags.DEFINE_string(
    "config", None, "A preset's name, such as albert_base_v2, or an albert_config.json."
)
_VOCAB_SIZE = flags.DEFINE_integer(
    "vocab_size",
    None,
    "Number of pieces, where the vocabulary has got more than the word embeddings of --init_from: "
    "those of new pieces begin as the mean of the others.",
)
_INIT_FROM = flags.DEFINE_string(
    "init_from", None, "Go on from this checkpoint, of any flavor, instead of random weights."
)
_OPTIONS = {
    "learning_rate": flags.DEFINE_float("learning_rate", 0.00176, "Highest learning rate."),
    "warmup_steps": flags.DEFINE_integer("warmup_steps", 3125, "Updates of warm-up."),
    "optimizer": flags.DEFINE_enum("optimizer", "lamb", OPTIMIZERS, "Optimizer."),
    "weight_decay_rate": flags.DEFINE_float("weight_decay_rate", 0.01, "Weight decay."),
    "dropout_rate": flags.DEFINE_float(
        "dropout_rate", None, "Dropout in the encoder. Default: the configuration's."
    ),
    **RUN_FLAGS,
}


def main():
    from albert_tf.training.pretraining.options import PretrainOptions

    options = PretrainOptions(**{name: flag.value for name, flag in _OPTIONS.items()})
    stages = _stages()
    # They start TensorFlow.
    from albert_tf.checkpoints.read import read
    from albert_tf.checkpoints.vocabulary_file import require_vocabulary
    from albert_tf.training.pretraining.pretrain import pretrain

    sp_model = _SP_MODEL.value
    if sp_model is None:
        sp_model = require_vocabulary(_INIT_FROM.value and read(_INIT_FROM.value).path)
    result = pretrain(
        _OUTPUT.value,
        stages,
        os.fspath(sp_model),
        config=_CONFIG.value,
        init_from=_INIT_FROM.value,
        heldout=_HELDOUT.value,
        vocab_size=_VOCAB_SIZE.value,
        options=options,
    )
    if result.state.stopped_by == "interrupted":
        sys.exit(f"Saved at step {result.state.step}. The same command goes on from there.")
    for name, value in result.scores.items():
        print(f"heldout {name}: {value:.4f}")


def _stages():
    """[(directory, steps, batch size)]; a single number counts for all stages."""
    columns = [_DATA.value]
    for flag in (_TRAIN_STEPS, _BATCH_SIZE):
        try:
            numbers = [int(value) for value in flag.value]
        except ValueError:
            numbers = [0]
        if min(numbers) < 1 or len(numbers) not in (1, len(_DATA.value)):
            raise ValueError(
                f"--{flag.name} must be a positive number, or one for each directory of --data, "
                f"{len(_DATA.value)}. Received: {','.join(flag.value)}."
            )
        columns.append(numbers if len(numbers) > 1 else numbers * len(_DATA.value))
    return list(zip(*columns))


def start(argv=None):
    run(main, argv)
