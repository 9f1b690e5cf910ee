import pytest
import tensorflow as tf

from albert_tf.saved_model.multiple_choice import _statements, export_multiple_choice
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.text.reference import ReferenceTokenizer
from tests.saved_model.task_exports import close, decoded, load, small_encoder


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


def test_choices_fill_the_blanks_or_follow_the_question():
    questions = ["He is _ .", "_ and _", "Who?", "", "_", "_ "]
    choices = ["old", "b", "Me.", "x", "", "a"]
    expected = ["He is old .", "b and b", "Who? Me.", " x", "", "a "]
    assert decoded(_statements(tf.constant(questions), tf.constant(choices))) == expected


def test_multiple_choice_answers_as_the_live_model(encoder, sp_model, tmp_path):
    model = AlbertMultipleChoice(encoder)
    seq_length, max_qa_length = 24, 9
    lengths = {"seq_length": seq_length, "max_qa_length": max_qa_length}
    export_multiple_choice(model, tmp_path / "choice", sp_model, rules="original", **lengths)
    loaded, serve = load(tmp_path / "choice")
    context = ["The licence is free. " * 6, "Short."]
    question = ["What is  _  then ?", "Which one of all that are listed here is it?"]
    choices = [["the licence ", "nothing", "_"], ["a", "b", "the third, which is long as well"]]

    tokenizer = ReferenceTokenizer(sp_model)  # The original's way, in Python.
    rows = []
    for a, q, options in zip(context, question, choices):
        for option in options:
            q_clean, option = " ".join(q.split()), option.strip()
            statement = q_clean.replace("_", option) if "_" in q else f"{q_clean} {option}"
            second = tokenizer.encode(statement)[-max_qa_length:]
            first = tokenizer.encode(a)[: seq_length - 3 - len(second)]
            ids = [2, *first, 3, *second, 3]
            types = [0] * (len(first) + 2) + [1] * (len(second) + 1)
            padding = [0] * (seq_length - len(ids))
            rows.append([ids + padding, [1] * len(ids) + padding, types + padding])
    inputs = tf.reshape(tf.constant(rows), [2, 3, 3, seq_length])
    logits = model([inputs[:, :, i] for i in range(3)])

    answer = serve(
        context=tf.constant(context), question=tf.constant(question), choices=tf.constant(choices)
    )
    close(answer["probabilities"], tf.nn.softmax(logits))
    best = tf.argmax(logits, -1).numpy()
    assert answer["choice"].numpy().tolist() == best.tolist()
    assert decoded(answer["answer"]) == [choices[i][best[i]] for i in range(2)]

    # Without its best choice, the first question has two.
    choices[0][best[0]] = ""
    fewer = serve(
        context=tf.constant(context), question=tf.constant(question), choices=tf.constant(choices)
    )
    rest = [i for i in range(3) if i != best[0]]
    close(tf.gather(fewer["probabilities"][0], rest), tf.nn.softmax(tf.gather(logits[0], rest)))
    assert fewer["probabilities"][0, best[0]] == 0
    close(fewer["probabilities"][1], answer["probabilities"][1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        serve(
            context=tf.constant(["one"]),
            question=tf.constant(question),
            choices=tf.constant(choices),
        )
