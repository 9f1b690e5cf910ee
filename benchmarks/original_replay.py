"""The original's pre-training data, record for record, from the same two random seeds."""

import random

import numpy as np

from albert_tf.text.reference import encode_pieces, preprocess_text
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.text.word_starts import starts_word

CLS, SEP, MASK = "[CLS]", "[SEP]", "[MASK]"


def replay_original(lines, sp_model, options, seed=12345, numpy_seed=None, lower=True):
    """Makes the records that Google's program makes of a text, in its order.

    One piece at a time, all documents and all records in memory: to check a small corpus against,
    and the yardstick of benchmarks/pretraining_data.py. `write_pretraining_data` with the recipe
    "original" makes records of the same distribution from any corpus.

    Args:
      lines: Iterable of str, one sentence each; empty ones separate documents.
      sp_model: Path of the SentencePiece model.
      options: `PretrainingOptions` of the recipe "original".
      seed: Seed of Python's generator, the original's flag --random_seed.
      numpy_seed: Seed of NumPy's generator, which the original leaves unseeded.
      lower: Whether to lower-case.

    Returns:
      list of dict, feature name -> list of int (masked_lm_weights: float), padded.

    Raises:
      ValueError: For another recipe.

    Reference: the original's create_pretraining_data.py.
    """
    if options.recipe != "original" or not options.static_masks:
        raise ValueError(
            "The replay makes static records of the recipe 'original'. "
            f"Received: recipe={options.recipe!r}, static_masks={options.static_masks}."
        )
    processor = SentencePieceModel.read(sp_model).processor
    replay = _Replay(processor, options, random.Random(seed), np.random.RandomState(numpy_seed))
    documents = [[]]
    for line in lines:
        line = preprocess_text(line, lower)
        if not line:
            documents.append([])
        pieces = encode_pieces(processor, line)
        if pieces:
            documents[-1].append(pieces)
    return replay.records([document for document in documents if document])


class _Replay:
    def __init__(self, processor, options, generator, numpy_generator):
        self.processor = processor
        self.options = options
        self.generator = generator
        self.numpy_generator = numpy_generator
        self.vocabulary = [processor.IdToPiece(i) for i in range(processor.GetPieceSize())]

    def records(self, documents):
        self.generator.shuffle(documents)
        instances = []
        for _ in range(self.options.dupe_factor):
            for index in range(len(documents)):
                instances.extend(self.instances_of(documents, index))
        self.generator.shuffle(instances)
        return [self.padded(*instance) for instance in instances]

    def instances_of(self, documents, index):
        options, generator, document = self.options, self.generator, documents[index]
        most = options.max_seq_length - 3
        target = most
        if generator.random() < options.short_seq_prob:
            target = generator.randint(2, most)
        chunk, length, position = [], 0, 0
        while position < len(document):
            chunk.append(document[position])
            length += len(document[position])
            if position == len(document) - 1 or length >= target:
                split = generator.randint(1, len(chunk) - 1) if len(chunk) >= 2 else 1
                a, b = sum(chunk[:split], []), sum(chunk[split:], [])
                label = 0
                if len(chunk) == 1 or (options.random_next_sentence and generator.random() < 0.5):
                    label = 1
                    b = self.random_segment(documents, index, target - len(a))
                    position -= len(chunk) - split  # What b would have been comes again.
                elif not options.random_next_sentence and generator.random() < 0.5:
                    label = 1
                    a, b = b, a
                self.truncate(a, b, most)
                tokens = [CLS, *a, SEP, *b, SEP]
                segments = [0] * (len(a) + 2) + [1] * (len(b) + 1)
                yield tokens, segments, label, *self.masked(tokens)
                chunk, length = [], 0
            position += 1

    def random_segment(self, documents, index, target):
        for _ in range(10):
            other = self.generator.randint(0, len(documents) - 1)
            if other != index:
                break
        segment = []
        for sentence in documents[other][self.generator.randint(0, len(documents[other]) - 1) :]:
            segment.extend(sentence)
            if len(segment) >= target:
                break
        return segment

    def truncate(self, a, b, most):
        while len(a) + len(b) > most:
            longer = a if len(a) > len(b) else b
            if self.generator.random() < 0.5:
                del longer[0]
            else:
                longer.pop()

    def masked(self, tokens):
        """-> tokens with masks, [(position, label)], word starts."""
        options, generator = self.options, self.generator
        words, boundaries = [], []
        for position, piece in enumerate(tokens):
            special = piece in (CLS, SEP)
            start = special or starts_word(piece)
            boundaries.append(int(start))
            if not special:
                if options.do_whole_word_mask and words and not start:
                    words[-1].append(position)
                else:
                    words.append([position])
        budget = round(len(tokens) * options.masked_lm_prob)
        budget = min(options.max_predictions_per_seq, max(1, budget))
        sizes = range(1, options.ngram + 1)
        ngrams = [[words[i : i + n] for n in sizes] for i in range(len(words))]
        output, labels, covered = list(tokens), [], set()
        generator.shuffle(ngrams)
        for positions in self.choose(ngrams, budget, covered):
            for position in positions:
                labels.append((position, tokens[position]))
                output[position] = self.replacement(tokens[position])
        generator.shuffle(ngrams)
        if options.do_permutation:
            chosen = sorted(sum(self.choose(ngrams, budget, covered), []))
            permuted = list(chosen)
            generator.shuffle(permuted)
            before = list(output)
            for to, source in zip(chosen, permuted):
                output[to] = before[source]
                labels.append((to, before[to]))
        return output, sorted(labels), boundaries

    def choose(self, ngrams, budget, covered):
        """Yields the positions of n-grams in order while they fit and are free."""
        probabilities = self.options.ngram_probabilities()
        taken = 0
        for variants in ngrams:
            if taken >= budget:
                break
            n = self.numpy_generator.choice(len(variants), p=probabilities)
            positions = sum(variants[n], [])
            while taken + len(positions) > budget and n > 0:
                n -= 1
                positions = sum(variants[n], [])
            if taken + len(positions) <= budget and covered.isdisjoint(positions):
                covered.update(positions)
                taken += len(positions)
                yield positions

    def replacement(self, piece):
        if self.generator.random() < 0.8:
            return MASK
        if self.generator.random() < 0.5:
            return piece
        return self.vocabulary[self.generator.randint(0, len(self.vocabulary) - 1)]

    def padded(self, tokens, segments, label, output, labels, boundaries):
        length, predictions = self.options.max_seq_length, self.options.predictions
        labels = labels[:predictions]
        identity = self.processor.PieceToId
        return {
            "input_ids": _pad(map(identity, output), length),
            "input_mask": _pad([1] * len(tokens), length),
            "segment_ids": _pad(segments, length),
            "token_boundary": _pad(boundaries, length),
            "masked_lm_positions": _pad((position for position, _ in labels), predictions),
            "masked_lm_ids": _pad((identity(piece) for _, piece in labels), predictions),
            "masked_lm_weights": _pad([1.0] * len(labels), predictions, 0.0),
            "next_sentence_labels": [label],
        }


def _pad(values, length, padding=0):
    values = list(values)
    return values + [padding] * (length - len(values))
