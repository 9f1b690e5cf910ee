"""Makes pre-training records of raw text on Apache Beam: Flink, Spark, Dataflow."""

import shlex

from absl import flags

from albert_tf.commands import pretraining_flags as common
from albert_tf.commands.document_flags import INPUT, document_format
from albert_tf.commands.run import run

_BEAM_OPTIONS = flags.DEFINE_string(
    "beam_options",
    "--runner=DirectRunner",
    "Options of Beam's pipeline, such as '--runner=FlinkRunner --flink_master=HOST:8081'.",
)


def main():
    from albert_tf.data.pretraining.beam_pipeline import run_pipeline

    counts = run_pipeline(
        INPUT.value,
        document_format(),
        common.OUTPUT.value,
        common.SP_MODEL.value,
        common.pretraining_options(),
        lower=common.LOWER.value,
        seed=common.SEED.value,
        num_shards=common.NUM_SHARDS.value or 0,
        beam_options=shlex.split(_BEAM_OPTIONS.value),
    )
    for name, count in counts.items():
        print(f"{name:<14} {count}")
    print(f"Wrote {common.OUTPUT.value}")


def start(argv=None):
    run(main, argv)
