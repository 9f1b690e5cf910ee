"""The flag of commands that choose what a model computes in."""

from absl import flags

FLAG_GROUPS = {"compute_dtype": "computation"}

COMPUTE_DTYPE = flags.DEFINE_enum(
    "compute_dtype",
    None,
    ["float32", "bfloat16", "float16"],
    "What blocks and pooler compute in. Variables and outputs are float32 in any case. Default: "
    "what the model says, mostly float32.",
)
