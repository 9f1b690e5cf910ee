"""The flags of commands that write a directory at once."""

from absl import flags

FLAG_GROUPS = {"output": "output"}

OUTPUT = flags.DEFINE_string("output", None, "Directory to write.", required=True)
OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace an earlier output at --output.")
