"""What became of every tensor of a checkpoint and of every variable of the model."""

import collections
import dataclasses

from albert_tf.messages import listed


@dataclasses.dataclass(frozen=True)
class RestoreReport:
    """The verdict on a restored checkpoint; `str(report)` is a summary.

    Attributes:
      flavor: One of `flavors.FLAVORS`.
      path: The checkpoint.
      restored: {our variable's name: the checkpoint's name for it}.
      ignored: {the checkpoint's name: why it was left out}.
      absent: Parts of a pretrainer that the checkpoint does not hold at all, in words.
      cast: {the checkpoint's name: dtype} of weights stored in less than float32.
      missing: {the checkpoint's name: shape} of variables without a tensor.
      unused: {the checkpoint's name: what is stored} of tensors that no rule knows.
      mismatched: {the checkpoint's name: what is stored and what is needed}.
      parameters: Number of restored values.
      ignored_keys: Keys of the configuration that were left out, since no ALBERT reads them.
      grown: {our variable's name: (rows in the checkpoint, rows now)} of tables that were made
        longer, since `vocab_size` says so; the new rows are the mean of the old ones.
      task: What the checkpoint tells about its training, such as its text rules; see
        `albert_tf.task_record`.
      num_bytes: Bytes of the restored variables, all float32.

    A report with anything in `missing`, `unused` or `mismatched` belongs to a checkpoint that was
    refused.
    """

    flavor: str
    path: str
    restored: dict
    ignored: dict
    absent: tuple
    cast: dict
    missing: dict
    unused: dict
    mismatched: dict
    parameters: int
    ignored_keys: tuple = ()
    grown: dict = dataclasses.field(default_factory=dict)
    task: dict = dataclasses.field(default_factory=dict)

    @property
    def num_bytes(self):
        return 4 * self.parameters

    @property
    def ok(self):
        return not (self.missing or self.unused or self.mismatched)

    def __str__(self):
        lines = [
            f"{self.path}: {len(self.restored)} restored ({self.parameters:,} parameters, "
            f"{self.num_bytes / 1e6:.1f} MB), {len(self.missing)} missing, "
            f"{len(self.unused)} unused, {len(self.mismatched)} mis-shaped; "
            f"{len(self.ignored)} ignored"
        ]
        for reason, count in collections.Counter(self.ignored.values()).items():
            lines.append(f"  ignored: {count} x {reason}")
        for dtype, count in collections.Counter(self.cast.values()).items():
            lines.append(f"  cast to float32: {count} x {dtype}")
        for name, (before, now) in self.grown.items():
            lines.append(
                f"  grown: {name} from {before} to {now} rows; the new ones are the mean of the old"
            )
        for part in self.absent:
            lines.append(f"  not in the checkpoint: {part}")
        if self.ignored_keys:
            names = listed(self.ignored_keys, most=20)
            lines.append(f"  ignored in the configuration: {names}")
        return "\n".join(lines)
