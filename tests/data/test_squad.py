import json

import pytest

from albert_tf.data.tasks import squad
from tests.data.squad_recordings import squad_file

SIZES = {  # questions, impossible ones
    "dev-v1.1": (10570, 0),
    "dev-v2.0.rebuilt": (11873, 5945),
    "train-v2.0.first11articles": (5147, 348),
}


def question(**changes):
    return {
        "id": "q",
        "question": "Who?",
        "answers": [{"text": "Ann", "answer_start": 0}],
        **changes,
    }


def write(tmp_path, *questions, context="Ann left."):
    content = {"data": [{"paragraphs": [{"context": context, "qas": list(questions)}]}]}
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(content))
    return path


def test_reads_both_versions():
    examples = squad.read(squad_file("dev-v1.1"))
    assert len(examples) == 18 and not examples.version_2 and examples.labels is None
    assert len(examples[0].answers) > 1
    examples = squad.read(squad_file("dev-v2.0"))
    assert len(examples) == 22 and examples.version_2
    assert [e.guid for e in examples if e.is_impossible] == ["i1", "i2", "i3", "i4"]
    assert not examples.report


def test_questions_without_answers_can_be_predicted_on(tmp_path):
    unlabeled = question()
    del unlabeled["answers"]
    assert squad.read(write(tmp_path, unlabeled))[0].answers == ()


@pytest.mark.parametrize("flag", ["false", 0, 1, None, []])
def test_a_flag_of_another_type_is_refused(tmp_path, flag):
    path = write(tmp_path, question(is_impossible=flag))
    with pytest.raises(ValueError, match=r"must be true or false. Received: .*qas\[0\]: 'q' with"):
        squad.read(path)


def test_a_flag_that_contradicts_the_answers_is_reported(tmp_path):
    path = write(
        tmp_path,
        question(id="a", is_impossible=True),
        question(id="b", is_impossible=False, answers=[]),
        question(id="c", is_impossible=True, answers=[]),
        question(id="d", is_impossible=False),
    )
    assert "2 questions whose is_impossible contradicts" in str(squad.read(path).report)


def test_misplaced_answers_are_counted(tmp_path):
    path = write(tmp_path, question(answers=[{"text": "Ann", "answer_start": 1}]))
    examples = squad.read(path)
    assert len(examples) == 1 and examples.report.locations(squad.MISPLACED) == ["q"]


@pytest.mark.parametrize(
    "change, problem",
    [
        ({"question": None}, r"'question', a str, here. Received: .*qas\[0\]: question=None"),
        ({"id": 7}, r"'id', a str"),
        ({"answers": [{"text": "Ann"}]}, r"'answer_start', a int.*answers: answer_start=None"),
        ({"answers": [{"text": "Ann", "answer_start": -1}]}, r"must not be negative"),
    ],
)
def test_refuses_malformed_files(tmp_path, change, problem):
    with pytest.raises(ValueError, match=problem):
        squad.read(write(tmp_path, question(**change)))


def test_refuses_other_json_double_ids_and_empty_files(tmp_path):
    with pytest.raises(ValueError, match=r"must be unique.*qas\[1\]: 'q' again"):
        squad.read(write(tmp_path, question(), question()))
    with pytest.raises(ValueError, match=r"at least one example. Received: none"):
        squad.read(write(tmp_path))
    path = tmp_path / "list.json"
    path.write_text("[]")
    with pytest.raises(ValueError, match=r"must be a JSON object. Received: .*list.json:1: a list"):
        squad.read(path)


@pytest.mark.parametrize("name", SIZES)
def test_real_files_have_the_published_sizes(shared, name):
    examples = squad.read(shared / "data" / "squad" / f"{name}.json")
    assert (len(examples), sum(e.is_impossible for e in examples)) == SIZES[name]
    assert not examples.report
