"""Stages of pre-training: short sequences first, then longer ones."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Stage:
    """Some steps on records of one length.

    Args:
      records: `PretrainingRecords`.
      batch_size: Rows of a global batch.
      steps: Updates.
    """

    records: object
    batch_size: int
    steps: int


class Curriculum:
    """Stages one after the other, as data for `albert_tf.training.engine.loop.train`.

    An epoch of the loop is a pass over the records of a stage; the last pass of a stage ends where
    its steps do. All shapes are static within a stage.

    Args:
      stages: List of `Stage`.

    Raises:
      ValueError: There is no stage, one without steps, or one with fewer records than a batch.

    Example:

    >>> import tempfile
    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.data.pretraining.documents import DocumentIterable
    >>> from albert_tf.data.pretraining.write import write_pretraining_data
    >>> from albert_tf.data.pretraining.options import PretrainingOptions
    >>> from albert_tf.data.pretraining.reader import PretrainingRecords
    >>> from albert_tf.training.pretraining.curriculum import Curriculum, Stage
    >>> documents = DocumentIterable(lambda: [["How old are you?", "I am ten."]] * 4, "documents")
    >>> def records(length):
    ...     directory, options = tempfile.mkdtemp(), PretrainingOptions(max_seq_length=length)
    ...     write_pretraining_data(documents, directory, albert_tiny_en.SP_MODEL, options,
    ...                            workers=1, show_progress=False)
    ...     return PretrainingRecords(directory)
    >>> curriculum = Curriculum([Stage(records(16), 4, steps=30), Stage(records(32), 2, steps=20)])
    >>> curriculum.steps
    50

    Reference: arXiv 1810.04805, appendix A.2, which trains on 128 tokens first, then on 512.
    """

    def __init__(self, stages):
        self.stages = list(stages)
        if not self.stages or any(stage.steps < 1 for stage in self.stages):
            raise ValueError(
                "A curriculum has stages of at least one step. Received: "
                f"{[stage.steps for stage in self.stages]} steps."
            )
        for stage in self.stages:
            if not stage.records.steps(stage.batch_size):
                records = stage.records
                raise ValueError(
                    "A batch must not have more rows than its stage has records. Received: a batch "
                    f"of {stage.batch_size} (--batch_size) for the {records.num_records} records "
                    f"of {records.directory}. Pass a smaller one, or more data."
                )

    @property
    def steps(self):
        """Updates of all stages."""
        return sum(stage.steps for stage in self.stages)

    def batches(self, seed, epoch):
        """The batches of an epoch: the `dataset_fn` of the training loop."""
        stage, _ = self._locate(epoch)
        return stage.records.batches(stage.batch_size, seed, epoch)

    def steps_in(self, epoch):
        """Number of batches that are used of an epoch."""
        return self._locate(epoch)[1]

    def _locate(self, epoch):
        """(the stage that an epoch belongs to, steps of the epoch)"""
        for stage in self.stages:
            a_pass = stage.records.steps(stage.batch_size)
            passes = -(-stage.steps // a_pass)
            if epoch < passes:
                return stage, min(a_pass, stage.steps - epoch * a_pass)
            epoch -= passes
        raise ValueError(f"The curriculum has an end. Received: epoch {epoch} after it.")
