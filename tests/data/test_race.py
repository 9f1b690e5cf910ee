import json
import shutil

import pytest

from albert_tf.data.tasks import race
from albert_tf.data.tasks.multiple_choice_features import question_option
from albert_tf.text.reference import preprocess_text
from tests.conftest import FIXTURES, GOLDENS

PASSAGE = {
    "id": "high1.txt",
    "article": "An article.",
    "questions": ["Who _ ?", "Why?"],
    "options": [["a", "b", "c", "d"], ["e", "f", "g", "h"]],
    "answers": ["D", "A"],
}


def write(folder, name, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    "level, key", [(None, "all"), ("middle", "middle_only"), ("high", "high_only")]
)
def test_examples_are_the_originals(level, key):
    expected = json.loads((GOLDENS / "race" / "examples.json").read_text())
    examples = race.read(FIXTURES, "dev", level)
    assert list(examples.labels) == expected["labels"]
    assert expected[key] == [
        {
            "example_id": e.guid,
            "context_sentence": preprocess_text(e.context),
            "endings": [question_option(e.question, option) for option in e.options],
            "label": e.label,
        }
        for e in examples
    ]


def test_all_layouts_give_the_same(tmp_path):
    whole = race.read(FIXTURES, "dev")
    passages = {
        level: (FIXTURES / "RACE" / "dev" / level / "all.txt").read_text()
        for level in ("middle", "high")
    }
    for level, text in passages.items():
        folder = tmp_path / "single" / "dev" / level
        write(folder, "7.txt", json.dumps(json.loads(text), indent=1))  # Over several lines.
        write(tmp_path / "joined", f"dev-{level}.jsonl", text)
    for layout in ("single", "joined"):
        assert race.read(tmp_path / layout, "dev").examples == whole.examples


def test_passages_are_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 9, 100):
        write(tmp_path / "dev" / "high", f"{number}.txt", {**PASSAGE, "id": f"high{number}.txt"})
    examples = race.read(tmp_path, "dev", "high")
    assert [e.guid for e in examples[::2]] == ["high9.txt", "high10.txt", "high100.txt"]
    assert {e.level for e in examples} == {"high"}


def test_refuses_passages_that_would_count_twice(tmp_path):
    shutil.copytree(FIXTURES / "RACE", tmp_path / "RACE")
    write(tmp_path / "RACE" / "dev" / "high", "1.txt", PASSAGE)
    with pytest.raises(ValueError, match=r"either all.txt or one file a passage. Received: .*both"):
        race.read(tmp_path, "dev")


def test_refuses_missing_levels(tmp_path):
    write(tmp_path / "dev" / "high", "1.txt", PASSAGE)
    with pytest.raises(FileNotFoundError, match=r"'dev' and the level 'middle'. Received: "):
        race.read(tmp_path, "dev")
    with pytest.raises(ValueError, match=r"level must be middle, high or None. Received: 'low'"):
        race.read(tmp_path, "dev", "low")


@pytest.mark.parametrize(
    "change, problem",
    [
        ({"answers": ["D"]}, "of different numbers"),
        ({"answers": ["D", "E"]}, "question 1 has the answer 'E'"),
        ({"options": [["a", "b", "c"], ["e", "f", "g", "h"]]}, "question 0 has the options"),
        ({"article": None}, "'article' is None"),
    ],
)
def test_refuses_malformed_passages(tmp_path, change, problem):
    lines = f"{json.dumps(PASSAGE)}\n{json.dumps({**PASSAGE, **change})}\n"
    write(tmp_path / "dev" / "high", "all.txt", lines)
    with pytest.raises(ValueError, match=rf"4 options .* Received: .*all.txt:2: .*{problem}"):
        race.read(tmp_path, "dev", "high")


def test_accuracy_by_level():
    examples = race.read(FIXTURES, "dev")
    assert [e.label for e in examples] == [0, 1, 3, 2]
    scores = race.race_accuracy(examples, [0, 1, 3, 0])
    assert scores == {"accuracy": 0.75, "accuracy_middle": 1.0, "accuracy_high": 0.5}


def test_real_files_have_the_published_sizes(shared):
    folder = shared / "data" / "race"
    assert len(race.read(folder, "dev", "middle")) == 1436
    assert len(race.read(folder, "dev", "high")) == 3451
    assert len(race.read(folder, "train", "middle")) == 25421
