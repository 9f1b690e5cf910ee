"""What watches a training run."""


class Callback:
    """Does nothing; subclasses override what they want to hear of.

    Attributes:
      chief_only: Whether only the chief of several processes calls it: right for what writes files
        or prints, wrong for what stops the training.
    """

    chief_only = True

    def on_begin(self, run):
        """Before the first step.

        Args:
          run: dict with `step` (steps already done, more than 0 when a run goes on), `num_steps`,
            `batch_size`, `tokens_per_step` (None if the inputs have no [batch, length]), and
            `warnings`, a dict of texts that callbacks may add to: it is kept with the states.
        """

    def on_epoch(self, run):
        """At the begin of each epoch, or where a run goes on in it; `run` as in `on_begin`.

        Batches of one epoch may have another shape than those of the epoch before.
        """

    def on_steps(self, logs):
        """After one or more steps.

        Args:
          logs: {name: array [steps]} with `step` (counted from 1) and what `TrainStep` reports.
        """

    def on_evaluation(self, step, metrics):
        """After an evaluation; metrics is {name: number}."""

    def on_end(self):
        """After the last step, also when the run was interrupted or failed."""
