"""The flags of `RunOptions`."""

from absl import flags

from albert_tf.training.run_options import PRECISIONS

FLAG_GROUPS = {"seed": "training"}

RUN_FLAGS = {
    "seed": flags.DEFINE_integer("seed", 0, "Of new weights, data order and dropout."),
    "strategy": flags.DEFINE_enum(
        "strategy",
        "one",
        ["one", "mirrored", "multiworker", "tpu"],
        "one: the first GPU or the CPU. mirrored: all GPUs. multiworker: machines of TF_CONFIG.",
    ),
    "tpu": flags.DEFINE_string("tpu", "", "Name or address of the TPU."),
    "precision": flags.DEFINE_enum(
        "precision", "float32", list(PRECISIONS), "Mixed if not float32."
    ),
    "accumulate_steps": flags.DEFINE_integer(
        "accumulate_steps", 1, "Parts that a device's part of a batch is cut into, to save memory."
    ),
    "recompute": flags.DEFINE_bool(
        "recompute", False, "Compute blocks again for the gradients, to save memory."
    ),
    "jit_compile": flags.DEFINE_bool("jit_compile", False, "Compile the step with XLA."),
    "evaluate_every": flags.DEFINE_integer(
        "evaluate_every", None, "Steps between two evaluations. Default: a tenth of all."
    ),
    "save_every": flags.DEFINE_integer("save_every", 1000, "Steps between two saved states."),
    "tensorboard": flags.DEFINE_bool("tensorboard", True, "Write TensorBoard's events."),
}
