"""Fine-tunes an ALBERT to answer questions (SQuAD 1.1 or 2.0), then asks the SavedModel.

    python examples/03_fine_tune_squad.py --quick

writes a toy SQuAD 2.0 of three questions and learns them by heart with the small model that the
package carries, in less than a minute on two CPU cores. In earnest, with the files train-v2.0.json
and dev-v2.0.json and a published checkpoint, or with the small model again:

    python examples/03_fine_tune_squad.py --task=squad2.0 --data_dir=squad \
        --checkpoint=albert_base --output=squad2

Besides the SavedModel, `--output` has predictions/dev/predictions.json, nbest_predictions.json and
null_odds.json, as the official scripts read them. Run again, the program goes on where it was
interrupted.
"""

import json
import pathlib

from absl import flags
import albert_tf
from albert_tf.commands.run import run
import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the ops of the SavedModel)

QUICK = flags.DEFINE_bool("quick", False, "A toy data set, and few steps.")
TASK = flags.DEFINE_enum("task", "squad2.0", ["squad1.1", "squad2.0"], "Version of SQuAD.")
DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder of train-v*.json and dev-v*.json.")
CHECKPOINT = flags.DEFINE_string("checkpoint", "albert_tiny_en", "Checkpoint to start from.")
OUTPUT = flags.DEFINE_string("output", "answers", "Directory of the run.")
SEED = flags.DEFINE_integer("seed", 0, "Fine-tuning varies with it: try several.")

QUICK_RECIPE = {
    "learning_rate": 3e-4,
    "batch_size": 3,
    "train_steps": 30,
    "max_seq_length": 64,
    "max_query_length": 16,
}
CONTEXT = "Ann Lee wrote the song in 1902. It was sung in Paris, and later in Rome."
QUESTIONS = {"Who wrote the song?": "Ann Lee", "When was it written?": "1902", "Why?": None}


def write_toy(folder):
    """A SQuAD 2.0 of three questions, one of which has no answer."""
    questions = [
        {
            "id": str(number),
            "question": question,
            "is_impossible": answer is None,
            "answers": [{"text": answer, "answer_start": CONTEXT.index(answer)}] if answer else [],
        }
        for number, (question, answer) in enumerate(QUESTIONS.items())
    ]
    content = {
        "version": "v2.0",
        "data": [{"paragraphs": [{"context": CONTEXT, "qas": questions}]}],
    }
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "dev"):
        (folder / f"{split}-v2.0.json").write_text(json.dumps(content))
    return str(folder)


def main():
    task, data_dir, recipe = TASK.value, DATA_DIR.value, {}
    if QUICK.value:
        task, data_dir, recipe = "squad2.0", write_toy(f"{OUTPUT.value}_data"), QUICK_RECIPE
    elif data_dir is None:
        raise ValueError("Pass --data_dir, SQuAD's folder, or --quick. Received: neither.")
    options = albert_tf.FinetuneOptions(seed=SEED.value)
    result = albert_tf.finetune(
        task, OUTPUT.value, CHECKPOINT.value, data_dir=data_dir, options=options, **recipe
    )
    if not result.scores:
        print("Interrupted: run it again to go on.")
        return
    serve = tf.saved_model.load(str(result.output / "saved_model")).signatures["serving_default"]
    for question in QUESTIONS:
        answers = serve(question=tf.constant([question]), context=tf.constant([CONTEXT]))
        best = answers["answer"].numpy()[0].decode() or "(no answer)"
        start, end = (int(answers[f"char_{side}s"][0, 0]) for side in ("start", "end"))
        print(f"{question} -> {best}; the best span is {CONTEXT[start:end]!r}")


if __name__ == "__main__":
    run(main)
