"""Scores a fine-tuned classifier in TensorFlow and as TensorFlow Lite files.

    python -m benchmarks.tflite_accuracy --run=RUN --data=dev.tsv

RUN is a directory that `albert-tf finetune` wrote for a classification task of GLUE, DATA a file of
that task with labels.
"""

import json
import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from absl import flags

from albert_tf.checkpoints.task_head import restore_task_head
from albert_tf.commands.run import run
from albert_tf.data.tasks.classifier_features import classifier_features
from albert_tf.data.tasks.glue import TASKS
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import INPUT_NAMES
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.tflite import export_tflite, open_signature

_RUN = flags.DEFINE_string("run", None, "Directory of a fine-tuning.", required=True)
_DATA = flags.DEFINE_string("data", None, "File with labels, such as dev.tsv.", required=True)


def main():
    directory = pathlib.Path(_RUN.value)
    metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    task, length = TASKS.get(metrics["task"]), metrics["recipe"]["max_seq_length"]
    if task is None or task.labels is None:
        raise ValueError(f"The run must be one of GLUE with classes. Received: {metrics['task']}.")
    tokenizer = ReferenceTokenizer(str(directory / "sentencepiece.model"))
    features = classifier_features(task.read_file(_DATA.value, "dev"), tokenizer, length)
    names = ("input_ids", "input_mask", "segment_ids")
    inputs = {name: features[key] for name, key in zip(INPUT_NAMES, names)}

    model = AlbertClassifier(AlbertEncoder.from_checkpoint(directory), len(task.labels))
    restore_task_head(model, directory)
    size = 4 * sum(int(np.prod(weight.shape)) for weight in model.weights)
    answers = {"TensorFlow, float32": (model.predict(inputs, verbose=0), size)}
    with tempfile.TemporaryDirectory() as folder:
        for weights in ("float32", "int8"):
            path = pathlib.Path(folder) / weights
            export_tflite(model, path, seq_length=length, weights=weights)
            logits = _predict(path, inputs)
            answers[f"TensorFlow Lite, {weights} weights"] = (logits, path.stat().st_size)

    print(f"{task.name}, {len(features['label_ids'])} examples, at most {length} tokens\n")
    print("| program | accuracy | same class as in TensorFlow | largest difference | size |")
    print("|---|---|---|---|---|")
    reference = next(iter(answers.values()))[0]
    for name, (logits, size) in answers.items():
        classes = logits.argmax(-1)
        right = np.mean(classes == features["label_ids"])
        same, difference = np.mean(classes == reference.argmax(-1)), np.abs(logits - reference)
        print(
            f"| {name} | {right:.4f} | {same:.4f} | {difference.max():.1e} | {size / 1e6:.1f} MB |"
        )


def _predict(path, inputs):
    """Logits, a row at a time."""
    compute = open_signature(path)
    logits = []
    for row in range(len(inputs["input_mask"])):
        outputs = compute(**{name: array[row : row + 1] for name, array in inputs.items()})
        logits.append(outputs["logits"])
    return np.concatenate(logits)


if __name__ == "__main__":
    run(main)
