"""The flags of commands that write a checkpoint in another form, and what they do."""

from absl import flags

from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.compute_dtype_flag import COMPUTE_DTYPE
from albert_tf.commands.output_flags import OUTPUT, OVERWRITE
from albert_tf.commands.table import print_checks
from albert_tf.commands.vocabulary_flags import vocabulary_arguments

FLAG_GROUPS = {"skip_padding": "SavedModels", "verify": "verification"}

_SKIP_PADDING = flags.DEFINE_bool(
    "skip_padding",
    None,
    "Compute tokens only, not padding: the time goes with the number of tokens. sequence_output is "
    "zero at padding then, and XLA cannot compile the SavedModel. Default: false.",
)
_VERIFY = flags.DEFINE_bool(
    "verify",
    False,
    "Compare outputs with the checkpoint's own program (SavedModels and TF1 Hub modules, which are "
    "run for that: only if you trust them) or with --verify_against.",
)
_VERIFY_AGAINST = flags.DEFINE_string(
    "verify_against",
    None,
    "Recorded inputs and outputs as .npz: input_ids, input_mask, segment_ids; pooled_output, "
    "sequence_output, mlm_logits or others. Implies --verify.",
)
_TOLERANCE = flags.DEFINE_float(
    "verify_tolerance", 1e-5, "Largest difference, relative to the largest output if above 1."
)


def run_conversion(to, **options):
    """Converts --checkpoint to --output and tells what was done."""
    from albert_tf.conversion import convert

    path, config = checkpoint_path()
    conversion = convert(
        path,
        OUTPUT.value,
        to,
        config=config,
        overwrite=OVERWRITE.value,
        skip_padding=_SKIP_PADDING.value,
        compute_dtype=COMPUTE_DTYPE.value,
        verify=_VERIFY.value,
        verify_against=_VERIFY_AGAINST.value,
        verify_tolerance=_TOLERANCE.value,
        **vocabulary_arguments(),
        **options,
    )
    print(conversion)
    if conversion.checks:
        print_checks(conversion.checks)
    print(f"Wrote {OUTPUT.value}")
