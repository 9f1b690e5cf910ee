"""The flags of commands that read a checkpoint."""

from absl import flags

FLAG_GROUPS = {"checkpoint": "checkpoint"}

CHECKPOINT = flags.DEFINE_string(
    "checkpoint",
    None,
    "Checkpoint: the directory of Google's albert_*.tar.gz (model.ckpt-best.*, albert_config.json) "
    "or the archive itself, a TF Hub module or SavedModel, a Hugging Face model, a KerasHub "
    "preset, a .keras file, or a handle such as hf://albert/albert-base-v2.",
    required=True,
)
_CONFIG = flags.DEFINE_string(
    "config", None, "Configuration file. Default: what the checkpoint states, or has beside it."
)


def checkpoint_path():
    """--checkpoint, and --config or None."""
    return CHECKPOINT.value, _CONFIG.value
