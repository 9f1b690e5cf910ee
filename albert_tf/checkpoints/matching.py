"""Matches a checkpoint with a configuration, tensor for tensor, from names and shapes alone."""

import difflib
import itertools
import math

from albert_tf.checkpoints.names.flavors import describe, rules
from albert_tf.checkpoints.names.geometry import fields_from_shapes
from albert_tf.checkpoints.names.table import PARTS
from albert_tf.checkpoints.report import RestoreReport
from albert_tf.messages import plain

# A file may hold hundreds of thousands of tensors that are none of ALBERT's.
_MOST_LINES = 10
_MOST_CANDIDATES = 1000
_DTYPES = ("float32", "float16", "bfloat16")


def match(checkpoint, parts, grow=False):
    """What restoring these parts of a checkpoint will do; reads no tensor and raises nothing.

    Args:
      checkpoint: A `Checkpoint` with a configuration.
      parts: Keys of `names.PARTS`. A head that the checkpoint does not hold at all is `absent`.
      grow: Whether the configuration may have more words than the checkpoint.

    Returns:
      ([Rule, ...] of what is to be restored, RestoreReport).
    """
    tensors = checkpoint.tensors
    table = rules(checkpoint.config, checkpoint.flavor)
    held = {rule.part for rule in table if rule.stored_name in tensors} | {"encoder"}
    wanted = [
        rule
        for rule in table
        if rule.part in parts and rule.part in held and rule.name not in checkpoint.absent
    ]

    ignored = {
        rule.stored_name: f"{PARTS[rule.part]}, not part of an encoder"
        for rule in table
        if rule.part not in parts and rule.stored_name in tensors
    }
    ignored.update(checkpoint.ignored)
    cast, missing, mismatched, good, grown = {}, {}, {}, [], {}
    fields = fields_from_shapes(checkpoint.flavor, tensors) if grow else {}
    words, _ = fields.get("vocab_size", (None, None))
    for rule in wanted:
        spec = tensors.get(rule.stored_name)
        if spec is None:
            missing[rule.stored_name] = list(rule.stored_shape)
        elif spec.dtype in _DTYPES and grow and _lacks_words(rule, spec.shape, words):
            good.append(rule)
            grown[rule.name] = (words, rule.shape[0])
        elif spec.shape != rule.stored_shape or spec.dtype not in _DTYPES:
            needed = f"float32 {list(rule.stored_shape)}"
            mismatched[rule.stored_name] = f"{spec} in the checkpoint, {needed} needed"
        else:
            good.append(rule)
    for rule in good:
        if (dtype := tensors[rule.stored_name].dtype) != "float32":
            cast[rule.stored_name] = dtype
    known = {rule.stored_name for rule in wanted}
    report = RestoreReport(
        flavor=checkpoint.flavor,
        path=checkpoint.path,
        restored={rule.name: rule.stored_name for rule in good},
        ignored=ignored,
        absent=(
            *(PARTS[part] for part in PARTS if part in parts and part not in held),
            *dict.fromkeys(checkpoint.absent.values()),
        ),
        cast=cast,
        missing=missing,
        unused={
            name: str(spec)
            for name, spec in tensors.items()
            if name not in known and name not in ignored
        },
        mismatched=mismatched,
        parameters=sum(math.prod(tensors[rule.stored_name].shape) for rule in good),
        grown=grown,
        ignored_keys=checkpoint.unread,
        task=checkpoint.task,
    )
    return wanted, report


def _lacks_words(rule, shape, words):
    """Whether a stored tensor is right but for rows of words that are to be added."""
    needed = rule.stored_shape
    return (
        "".join(rule.stored_axes[0]) == "V" and shape == (words, *needed[1:]) and words < needed[0]
    )


def require_ok(checkpoint, report):
    """Raises one ValueError with all that does not match, and why as far as shapes tell."""
    if report.ok:
        return
    lines = [
        "The weights of a checkpoint must match its configuration, tensor for tensor. Received: "
        f"{describe(checkpoint.flavor)} {checkpoint.path!r} with "
        f"{checkpoint.config_source}: {len(report.missing)} missing, {len(report.unused)} unused, "
        f"{len(report.mismatched)} mis-shaped."
    ]
    lines += _lines(report.missing, lambda name, shape: f"missing: {name} {shape}", report.unused)
    lines += _lines(report.unused, lambda name, spec: f"unused: {name}, {spec}", report.missing)
    lines += _lines(report.mismatched, lambda name, what: f"mis-shaped: {name}: {what}")

    differences = _differences(checkpoint)
    for field, (value, evidence) in differences.items():
        lines.append(
            f"  {field} is {getattr(checkpoint.config, field)} in the configuration, but {value} "
            f"in the weights: {evidence}"
        )
    if differences:
        values = ", ".join(f"{field}={value}" for field, (value, _) in differences.items())
        lines.append(
            f"Pass the configuration that belongs to these weights (`config`); it has {values}."
        )
        words = differences.get("vocab_size", (0, ""))[0]
        if words > checkpoint.config.vocab_size:
            lines.append("A table of word embeddings can grow, not shrink.")
        elif words:
            lines.append(
                "For word pieces that were added since, say so by the argument "
                f"vocab_size={checkpoint.config.vocab_size} of from_checkpoint: the table grows."
            )
    else:
        lines.append(
            "Pass the checkpoint as its authors published it. If it is complete but for a head, "
            "AlbertEncoder.from_checkpoint loads the encoder alone."
        )
    raise ValueError("\n".join(lines))


def _differences(checkpoint):
    fields = fields_from_shapes(checkpoint.flavor, checkpoint.tensors)
    return {
        field: (value, evidence)
        for field, (value, evidence) in fields.items()
        if getattr(checkpoint.config, field) != value
    }


def _lines(findings, describe_one, near=()):
    lines = [
        f"  {describe_one(plain(name), plain(str(what)))}{_nearest(name, near)}"
        for name, what in itertools.islice(findings.items(), _MOST_LINES)
    ]
    if (more := len(findings) - len(lines)) > 0:
        lines.append(f"  and {more} more; `albert-tf inspect` lists all")
    return lines


def _nearest(name, others):
    others = itertools.islice(others, _MOST_CANDIDATES)
    close = difflib.get_close_matches(name[:200], others, n=2, cutoff=0.75)
    return f" (nearest: {', '.join(map(plain, close))})" if close else ""
