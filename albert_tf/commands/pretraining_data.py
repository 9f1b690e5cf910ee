"""Makes pre-training records (TFRecord) of raw text."""

from absl import flags

from albert_tf.commands import pretraining_flags as common
from albert_tf.commands.document_flags import INPUT, document_format
from albert_tf.commands.run import run

_WORKERS = flags.DEFINE_integer("workers", None, "Number of processes. Default: one a core.")
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace data made with other flags.")


def main():
    from albert_tf.data.pretraining.documents import DocumentFiles
    from albert_tf.data.pretraining.write import write_pretraining_data

    options = common.pretraining_options()
    counts = write_pretraining_data(
        DocumentFiles(INPUT.value, document_format()),
        common.OUTPUT.value,
        common.SP_MODEL.value,
        options,
        lower=common.LOWER.value,
        seed=common.SEED.value,
        num_shards=common.NUM_SHARDS.value,
        workers=_WORKERS.value,
        overwrite=_OVERWRITE.value,
    )
    print(
        f"{counts['documents']} documents with {counts['sentences']} sentences and "
        f"{counts['tokens']} tokens -> {counts['records']} records with "
        f"{counts['record_tokens']} tokens"
    )
    if options.static_masks:
        print(f"masked         {counts['predictions'] / counts['record_tokens']:.2%} of the tokens")
    share = counts["order_records"] / counts["records"]
    label_1 = counts["order_label_1"] / max(counts["order_records"], 1)
    print(f"sentence order {share:.2%} of the records, {label_1:.2%} of them with label 1")
    print(f"Wrote {common.OUTPUT.value}")


def start(argv=None):
    run(main, argv)
