"""`albert-tf fill-mask` as a process."""

import json

from albert_tf.fill_mask import FillMask
from tests.commands.command import run

COMMAND = "import sys; from albert_tf.commands.fill_mask import start; start(sys.argv)"
TEXTS = ["The [MASK] is free.", "[MASK] of the [MASK]"]


def command(*arguments):
    return run(None, "-c", COMMAND, *arguments)


def test_table():
    process = command(*TEXTS, "--top_k=2")
    assert process.returncode == 0, process.stderr
    tables = [table.splitlines() for table in process.stdout.split("\n\n")]
    one, several = FillMask.from_checkpoint()(TEXTS, top_k=2)
    assert tables[0] == TEXTS[:1] and tables[2] == TEXTS[1:]
    for table, answer in zip((tables[1], *tables[3:]), (one, *several), strict=True):
        assert table[0].split() == ["score", "token", "sequence"]
        for line, filling in zip(table[1:], answer, strict=True):
            score, rest = line.split(maxsplit=1)
            assert abs(float(score) - filling["score"]) < 0.01 * filling["score"]
            assert rest.startswith(filling["token_str"]) and line.endswith(filling["sequence"])


def test_json(tiny_checkpoint, sp_model):
    arguments = [f"--checkpoint={tiny_checkpoint}", f"--sp_model={sp_model}", "--json"]
    process = command(*arguments, "--targets=free,software", "--", *TEXTS)
    assert process.returncode == 0, process.stderr
    answers = [json.loads(line) for line in process.stdout.splitlines()]
    assert {filling["sequence"] for filling in answers[0]} == {
        "the free is free.",
        "the software is free.",
    }
    fill = FillMask.from_checkpoint(tiny_checkpoint, sp_model)
    expected = fill(TEXTS, targets=["free", "software"])
    tokens = [[filling["token"] for filling in best] for best in answers[1]]
    assert tokens == [[filling["token"] for filling in best] for best in expected[1]]


def test_errors_are_one_line(tiny_checkpoint):
    for arguments, message in (
        ([], "error: There must be a text with [MASK] in it. Received: none."),
        (["no mask"], "error: A text must have [MASK] where a word piece is to be found."),
        (["[MASK]", f"--checkpoint={tiny_checkpoint}"], "error: The vocabulary that"),
    ):
        process = command(*arguments)
        assert process.returncode == 1 and "Traceback" not in process.stderr
        assert process.stderr.splitlines()[-1].startswith(message)
