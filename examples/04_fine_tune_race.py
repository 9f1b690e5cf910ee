"""Fine-tunes an ALBERT to choose the right one of four options (RACE), then asks the SavedModel.

    python examples/04_fine_tune_race.py --quick

writes a toy RACE of two questions and learns them by heart with the small model that the package
carries, in less than a minute on two CPU cores. In earnest, with the unpacked RACE.tar.gz and a
published checkpoint, or with the small model again:

    python examples/04_fine_tune_race.py --data_dir=. --checkpoint=albert_base --output=race

A batch of 32 questions is 128 rows of 512 tokens: `--accumulate_steps=8` makes it fit. Run again,
the program goes on where it was interrupted.
"""

import json
import pathlib

from absl import flags
import albert_tf
from albert_tf.commands.run import run
import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the ops of the SavedModel)

QUICK = flags.DEFINE_bool("quick", False, "A toy data set, and few steps.")
TASK = flags.DEFINE_enum("task", "race", ["race", "race-middle", "race-high"], "Level.")
DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder that holds RACE.")
CHECKPOINT = flags.DEFINE_string("checkpoint", "albert_tiny_en", "Checkpoint to start from.")
OUTPUT = flags.DEFINE_string("output", "choices", "Directory of the run.")
SEED = flags.DEFINE_integer("seed", 0, "Fine-tuning varies with it: try several.")
ACCUMULATE_STEPS = flags.DEFINE_integer("accumulate_steps", 1, "Parts of a batch, for memory.")

QUICK_RECIPE = {
    "learning_rate": 3e-4,
    "batch_size": 2,
    "train_steps": 30,
    "max_seq_length": 64,
    "max_qa_length": 24,
}
ARTICLE = "Tom has a dog. The dog is black. Every day they walk to the lake and swim."
QUESTIONS = ["The dog is _ .", "Where do they walk to?"]
OPTIONS = [["white", "black", "brown", "red"], ["The lake.", "The sea.", "A shop.", "School."]]
ANSWERS = ["B", "A"]


def write_toy(folder):
    """A RACE of one passage, in the layout in which it is distributed."""
    passage = {
        "id": "middle1.txt",
        "article": ARTICLE,
        "questions": QUESTIONS,
        "options": OPTIONS,
        "answers": ANSWERS,
    }
    for split in ("train", "dev"):
        directory = pathlib.Path(folder) / "RACE" / split / "middle"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "1.txt").write_text(json.dumps(passage))
    return str(folder)


def main():
    task, data_dir, recipe = TASK.value, DATA_DIR.value, {}
    if QUICK.value:
        task, data_dir, recipe = "race-middle", write_toy(f"{OUTPUT.value}_data"), QUICK_RECIPE
    elif data_dir is None:
        raise ValueError("Pass --data_dir, the folder of RACE, or --quick. Received: neither.")
    options = albert_tf.FinetuneOptions(
        seed=SEED.value,
        accumulate_steps=ACCUMULATE_STEPS.value,
        detect_collapse=not QUICK.value,  # Two questions are too few to tell.
    )
    result = albert_tf.finetune(
        task, OUTPUT.value, CHECKPOINT.value, data_dir=data_dir, options=options, **recipe
    )
    if not result.scores:
        print("Interrupted: run it again to go on.")
        return
    serve = tf.saved_model.load(str(result.output / "saved_model")).signatures["serving_default"]
    answers = serve(
        context=tf.constant([ARTICLE] * len(QUESTIONS)),
        question=tf.constant(QUESTIONS),
        choices=tf.constant(OPTIONS),
    )
    for question, answer, odds in zip(
        QUESTIONS, answers["answer"].numpy(), answers["probabilities"].numpy()
    ):
        print(f"{question} -> {answer.decode()}  ({max(odds):.2f})")


if __name__ == "__main__":
    run(main)
