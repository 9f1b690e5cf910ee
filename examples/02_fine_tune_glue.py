"""Fine-tunes an ALBERT for a GLUE task, then asks the exported SavedModel.

    python examples/02_fine_tune_glue.py --quick

writes a toy SST-2 of a few sentences and learns it with the small model that the package carries,
in less than a minute on two CPU cores; expect a dev accuracy of 1.0, because the toy is that easy.
In earnest, with GLUE's data and a published checkpoint, such as the unpacked
albert_base_v2.tar.gz, or with the small model again:

    python examples/02_fine_tune_glue.py --task=sst-2 --data_dir=glue --checkpoint=albert_base \
        --output=sst2

`albert-tf finetune` is the same as a command, with a flag for each number. Run again, the program
goes on where it was interrupted.
"""

import pathlib

from absl import flags
import albert_tf
from albert_tf.commands.run import run
import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the ops of the SavedModel)

QUICK = flags.DEFINE_bool("quick", False, "A toy data set, and few steps.")
TASK = flags.DEFINE_enum(
    "task",
    "sst-2",
    ["cola", "sst-2", "mrpc", "sts-b", "qqp", "mnli", "qnli", "rte", "wnli"],
    "GLUE task.",
)
DATA_DIR = flags.DEFINE_string("data_dir", None, "GLUE's folder.")
CHECKPOINT = flags.DEFINE_string("checkpoint", "albert_tiny_en", "Checkpoint to start from.")
OUTPUT = flags.DEFINE_string("output", "finetuned", "Directory of the run.")
SEED = flags.DEFINE_integer("seed", 0, "Fine-tuning varies with it: try several.")

QUICK_RECIPE = {"learning_rate": 3e-4, "batch_size": 10, "train_steps": 30}


def write_toy(folder):
    """An SST-2 in GLUE's layout whose sentences are positive if they say so."""
    good = ["a good film", "truly good", "good acting", "it is good", "so good and so short"]
    bad = [sentence.replace("good", "bad") for sentence in good]
    rows = [(text, 1) for text in good] + [(text, 0) for text in bad]
    lines = "".join(f"{text}\t{label}\n" for text, label in rows)
    directory = pathlib.Path(folder) / "SST-2"
    directory.mkdir(parents=True, exist_ok=True)
    for split in ("train", "dev"):
        (directory / f"{split}.tsv").write_text(f"sentence\tlabel\n{lines}")
    tests = "".join(f"{i}\t{text}\n" for i, (text, _) in enumerate(rows))
    (directory / "test.tsv").write_text(f"index\tsentence\n{tests}")
    return str(folder)


def main():
    task, data_dir, recipe = TASK.value, DATA_DIR.value, {}
    if QUICK.value:
        task, data_dir, recipe = "sst-2", write_toy(f"{OUTPUT.value}_data"), QUICK_RECIPE
    elif data_dir is None:
        raise ValueError("Pass --data_dir, GLUE's folder, or --quick. Received: neither.")
    options = albert_tf.FinetuneOptions(seed=SEED.value)
    result = albert_tf.finetune(
        task, OUTPUT.value, CHECKPOINT.value, data_dir=data_dir, options=options, **recipe
    )
    if not result.scores:
        print("Interrupted: run it again to go on.")
        return
    serve = tf.saved_model.load(str(result.output / "saved_model")).signatures["serving_default"]
    inputs = {"text": ["A good film, well told.", "The acting is bad."]}
    if "text" not in serve.structured_input_signature[1]:
        inputs = {"text_a": ["It is a good film."], "text_b": ["The film is good."]}
    answers = serve(**{name: tf.constant(texts) for name, texts in inputs.items()})
    for name, answer in sorted(answers.items()):
        print(f"{inputs} -> {name}: {answer.numpy().tolist()}")


if __name__ == "__main__":
    run(main)
