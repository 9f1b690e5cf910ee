"""A tiny SST-2, and how to learn it in a second."""

import pathlib

from albert_tf.training.finetuning.finetune import finetune
from albert_tf.training.finetuning.options import FinetuneOptions
from tests import random_tiny


def write_sst2(folder):
    good = ["a good film", "truly good", "good acting", "it is good", "so good and short"]
    rows = [(text, 1) for text in good] + [(text.replace("good", "bad"), 0) for text in good]
    directory = pathlib.Path(folder) / "SST-2"
    directory.mkdir(parents=True)
    lines = "".join(f"{text}\t{label}\n" for text, label in rows)
    for split in ("train", "dev"):
        (directory / f"{split}.tsv").write_text(f"sentence\tlabel\n{lines}")
    tests = "".join(f"{i}\t{text}\n" for i, (text, _) in enumerate(rows))
    (directory / "test.tsv").write_text(f"index\tsentence\n{tests}")
    return folder


def learn(data_dir, output, task="sst-2", recipe=None, **options):
    """Learns for 12 steps, with evaluations every 4, unless told otherwise."""
    recipe = {"learning_rate": 1e-3, "batch_size": 4, "train_steps": 12, **(recipe or {})}
    options = {"evaluate_every": 4, "save_every": 3, "tensorboard": False, **options}
    return finetune(
        task,
        output,
        random_tiny.CHECKPOINT,
        data_dir=data_dir,
        options=FinetuneOptions(**{"detect_collapse": False, "export": False, **options}),
        **recipe,
    )
