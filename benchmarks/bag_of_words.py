"""Baselines for fine-tuning results: the most frequent answer, and what counting words gives."""

import collections
import re

import numpy as np

from albert_tf.data.tasks.metrics import METRICS
from albert_tf.data.tasks.squad_metrics import evaluate_v1

_WORD = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def words(text):
    """The words and punctuation marks of a text, lower-case."""
    return _WORD.findall(text.lower())


def majority(train, dev, metric):
    """Score of answering the most frequent label, or the mean score, to everything."""
    answers = _labels(train)
    if train.labels is None:
        answer = np.mean(answers)
    else:
        answer = np.bincount(answers).argmax()
    return METRICS[metric](_labels(dev), np.full(len(dev), answer))


def bag_of_words(train, dev, metric, epochs=10, rate=0.05, decay=1e-5):
    """Score of logistic (or linear) regression on words, word pairs and common words of a pair.

    Trained by Adagrad, one example at a time in a fixed order.
    """
    counts = collections.Counter(f for example in train for f in set(_features(example)))
    index = {f: i for i, f in enumerate(f for f, count in counts.items() if count > 1)}

    def rows(examples):
        return [
            np.array(sorted({index[f] for f in _features(e) if f in index}), np.int64)
            for e in examples
        ]

    classes = 1 if train.labels is None else len(train.labels)
    weights, bias = np.zeros([len(index), classes]), np.zeros(classes)
    squares, bias_squares = np.full_like(weights, 1e-2), np.full_like(bias, 1e-2)
    labels, inputs = _labels(train), rows(train)
    if train.labels is None:
        bias += np.mean(labels)
    order = np.random.RandomState(0)
    for _ in range(epochs):
        for i in order.permutation(len(inputs)):
            row = inputs[i]
            scale = 1.0 / np.sqrt(max(len(row), 1))
            gradient = _gradient(weights[row].sum(0) * scale + bias, labels[i], train.labels)
            step = gradient * scale + decay * weights[row]
            squares[row] += step**2
            weights[row] -= rate * step / np.sqrt(squares[row])
            bias_squares += gradient**2
            bias -= rate * gradient / np.sqrt(bias_squares)
    logits = np.array([weights[r].sum(0) / np.sqrt(max(len(r), 1)) + bias for r in rows(dev)])
    answers = logits[:, 0] if train.labels is None else logits.argmax(-1)
    return METRICS[metric](_labels(dev), answers)


def word_overlap(dev):
    """Accuracy on RACE of the option with the largest share of words that the passage has."""
    right = 0
    for example in dev:
        passage = set(words(example.context))
        shares = [
            np.mean([word in passage for word in words(option)] or [0.0])
            for option in example.options
        ]
        right += int(np.argmax(shares)) == example.label
    return right / len(dev)


def answer_majority(train, dev):
    """F1 on SQuAD 1.1 of giving the most frequent answer of the training set to every question."""
    answers = collections.Counter(text for example in train for text, _ in example.answers)
    ((answer, _),) = answers.most_common(1)
    return evaluate_v1(dev, {example.guid: answer for example in dev})["f1"]


def sentence_overlap(dev):
    """F1 on SQuAD 1.1 of the sentence that has most words of the question, as the answer."""
    predictions = {}
    for example in dev:
        question = set(words(example.question))
        sentences = _SENTENCE_END.split(example.context)
        predictions[example.guid] = max(sentences, key=lambda s: len(question & set(words(s))))
    return evaluate_v1(dev, predictions)["f1"]


def _features(example):
    a = words(example.text_a)
    yield from a
    yield from zip(a, a[1:])
    if example.text_b is not None:
        b = words(example.text_b)
        yield from (("b", word) for word in b)
        common = len(set(a) & set(b)) / max(len(set(a) | set(b)), 1)
        yield from (("overlap above", i) for i in range(int(10 * common) + 1))


def _labels(examples):
    labels = examples.labels
    if labels is None:
        return np.array([example.label for example in examples])
    return np.array([labels.index(example.label) for example in examples])


def _gradient(logits, label, labels):
    if labels is None:
        return logits - label
    powers = np.exp(logits - logits.max())
    gradient = powers / powers.sum()
    gradient[label] -= 1.0
    return gradient
