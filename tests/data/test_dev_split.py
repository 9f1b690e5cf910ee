import collections

import pytest

from albert_tf.data.tasks.dev_split import described, split_off
from albert_tf.data.tasks.examples import Example, ExampleSet, TaggedExample


def examples(labels, texts=None):
    rows = [
        Example(str(i), texts[i] if texts else f"text {i}", label=label)
        for i, label in enumerate(labels)
    ]
    names = {n for label in labels for n in ([label] if isinstance(label, str) else label)}
    return ExampleSet(rows, ["train.csv"], sorted(names))


def ids(part):
    return [example.guid for example in part]


def test_keeps_the_shares_of_the_labels():
    whole = examples(["yes"] * 450 + ["no"] * 50)
    train, dev = split_off(whole, 0.1, seed=0)
    assert collections.Counter(e.label for e in dev) == {"yes": 45, "no": 5}
    assert sorted(ids(train) + ids(dev), key=int) == ids(whole) and len(train) == 450
    assert train.labels == dev.labels == whole.labels
    assert ids(dev) == sorted(ids(dev), key=int)  # In the order of the file.
    assert described(train, dev).splitlines() == [
        "dev: 50 of 500 training examples set aside, none with a text of train",
        "  no: 5 of 50, yes: 45 of 450",
    ]


def test_depends_on_the_seed_and_the_texts_and_not_on_the_order_of_rows():
    labels = ["a", "b"] * 50
    dev = split_off(examples(labels), 0.2, seed=1)[1]
    assert ids(dev) == ids(split_off(examples(labels), 0.2, seed=1)[1])
    assert ids(dev) != ids(split_off(examples(labels), 0.2, seed=2)[1])
    reverse = examples(labels)
    reverse.examples.reverse()
    assert ids(split_off(reverse, 0.2, seed=1)[1]) == ids(dev)[::-1]
    # A recorded split: other versions of Python and NumPy make the same.
    assert ids(split_off(examples(["a", "b"] * 5), 0.4, seed=0)[1]) == ["3", "4", "6", "9"]


def test_a_text_is_in_one_part_only():
    texts = [f"Text  number {i % 20}" if i % 2 else f"text number {i % 20} " for i in range(200)]
    whole = examples(["a", "b"] * 100, texts)
    for seed in range(5):
        train, dev = split_off(whole, 0.25, seed)
        parts = [{" ".join(e.text_a.lower().split()) for e in part} for part in (train, dev)]
        assert len(parts[1]) == 5 and not parts[0] & parts[1]
    pairs = [Example(str(i), "same", f"other {i % 5}", "ab"[i % 2]) for i in range(20)]
    train, dev = split_off(ExampleSet(pairs, ["a"], ["a", "b"]), 0.2, seed=0)
    assert len(dev) == 4 and len({e.text_b for e in dev}) == 1


def test_a_label_with_one_text_is_learned_and_not_scored():
    whole = examples(["a"] * 8 + ["b"] * 8 + ["only"])
    for seed in range(10):
        train, dev = split_off(whole, 0.5, seed)
        assert {e.label for e in train} == {"a", "b", "only"}
        assert {e.label for e in dev} == {"a", "b"}
    assert "not in dev, and so not scored: only" in described(train, dev)
    for seed in range(10):  # However much is wanted.
        train, dev = split_off(examples(["a", "a", "b", "b"]), 0.99, seed)
        assert sorted(e.label for e in train) == sorted(e.label for e in dev) == ["a", "b"]


def test_very_few_texts():
    train, dev = split_off(examples(["a", "a", "b"]), 0.1, seed=0)
    assert len(dev) == 1 and dev[0].label == "a"
    for few in (examples(["a", "b"]), examples(["a", "b", "a"], ["same", "other", "same"])):
        with pytest.raises(ValueError, match=r"two different texts. Received: 2 .* in train.csv"):
            split_off(few, 0.5, seed=0)


def test_several_labels():
    labels = [("common",)] * 80 + [("common", "rare")] * 10 + [()] * 10
    train, dev = split_off(examples(labels), 0.2, seed=3)
    assert collections.Counter(e.label for e in dev) == {
        ("common",): 16,
        ("common", "rare"): 2,
        (): 2,
    }
    one = examples([("a", "b"), ("b",), ("b", "c"), ("b", "c")])
    for seed in range(10):
        train, _ = split_off(one, 0.5, seed)
        assert {name for e in train for name in e.label} == {"a", "b", "c"}


def test_tags():
    rows = [TaggedExample(str(i), (f"w{i}", "x"), ("O", "O")) for i in range(40)]
    rows += [TaggedExample(str(i), (f"w{i}", "x"), ("B-LOC", "O")) for i in range(40, 50)]
    train, dev = split_off(ExampleSet(rows, ["a"], ["B-LOC", "O"]), 0.2, seed=0)
    assert sum("B-LOC" in e.tags for e in dev) == 2 and len(dev) == 10
    assert "B-LOC: 2 of 10, O: 10 of 50" in described(train, dev)


def test_numbers_are_taken_from_low_to_high():
    rows = [Example(str(i), f"text {i}", label=float(i)) for i in range(100)]
    train, dev = split_off(ExampleSet(rows, ["a"]), 0.1, seed=0)
    assert [int(e.label) // 10 for e in dev] == list(range(10))
    assert described(train, dev).startswith("dev: 10 of 100 training examples set aside")
    train, dev = split_off(ExampleSet(rows[:2], ["a"]), 0.5, seed=0)
    assert len(train) == len(dev) == 1
    train, dev = split_off(ExampleSet(rows[:20], ["a"]), 0.9, seed=0)
    assert len(dev) == 18
