"""A model that is asked in texts and answers in plain Python."""

import collections.abc

import numpy as np
import tensorflow as tf

from albert_tf.messages import brief
from albert_tf.prediction.answers import AUTO, answers, check_top_k
from albert_tf.prediction.batches import TokenCounts, batches, windows
from albert_tf.prediction.loading import load_text_function
from albert_tf.prediction.rows import as_row, is_one, zipped
from albert_tf.text.masked_text import MASK


class Predictor:
    """Answers to texts, as Hugging Face's `pipeline` gives them, from any model of this package.

    Takes care of tokenizing, of batches and of their order: rows are sorted by length, computed in
    batches of similar length, and answered in the order in which they came. Does not train. May be
    called from several threads.

    | model | a text is | its answer |
    |---|---|---|
    | classifier | a str, or of pairs (text_a, text_b) | `{"label", "score"}` |
    | several labels a text | the same | list of `{"label", "score"}`, those above the threshold |
    | regression | the same | `{"score"}` |
    | tagger | a str | list of `{"entity_group", "score", "word", "start", "end"}` |
    | question answering | (question, context) | `{"answer", "score", "start", "end"}` |
    | multiple choice | (context, question, choices) | `{"choice", "answer", "score"}` |
    | fill-mask | a str with [MASK] | list of `{"score", "token", "token_str", "sequence"}` |
    | embedding | a str | float32 array [H] |

    Of a text with several masks, the answer is a list of such lists, in the order of the masks.
    `start` and `end` count characters of the text. A question without an answer has the answer "",
    whose score is its probability; the scores of spans are those among the model's best ones.

    Args:
      path: A SavedModel of `export_classifier`, `export_embedder` and the like; the directory of a
        run of `albert-tf finetune`, or of a Hugging Face model with the head of a task; or, for
        fill-mask and embedding, any checkpoint, such as "albert_tiny_en".
      task: "classifier", "token-classifier", "span-labeler", "multiple-choice", "fill-mask" or
        "embedding". Default: what the model was trained or exported for.
      batch_tokens: Most tokens of a batch, padding included. More is faster up to a point, and
        needs more memory.
      sp_model: Path of the SentencePiece model. Default: the one that lies with the model.
      config: As for `AlbertEncoder.from_checkpoint`.
      **settings: Arguments of the task's exporter, such as `pooling`, `layer` and `normalize` of an
        embedding, `top_k` of fill-mask, `pairs` of a classifier, `seq_length`, `compute_dtype`.
        Default: what the model tells.

    Attributes:
      record: dict of what the model tells about itself: task, text_inputs, labels, seq_length, ...
      text_inputs: Names of what it is asked, such as ["text"] or ["question", "context"].
      source: Where its weights lie.
      hidden_size: Width of the encoder, H.
      text_function: `TextFunction`, what computes.

    Raises:
      ImportError: tensorflow-text is missing.
      FileNotFoundError, ValueError: There is no such model, it has no head for the task, or a
        setting is not one of the task's.

    Example:

    >>> import albert_tf
    >>> fill = albert_tf.Predictor("albert_tiny_en", task="fill-mask")
    >>> answers = fill(["she looked at [MASK] and smiled .", "the [MASK] is here ."])
    >>> len(answers), sorted(answers[0][0])
    (2, ['score', 'sequence', 'token', 'token_str'])
    >>> embed = albert_tf.Predictor("albert_tiny_en", task="embedding")
    >>> embed("How old are you?").shape
    (192,)
    >>> stream = embed(line for line in ["one", "two", "three"])  # Reads on as it is used.
    >>> next(stream).dtype
    dtype('float32')

    Reference: `pipeline` of Hugging Face transformers.
    """

    def __init__(self, path, task=None, batch_tokens=4096, sp_model=None, config=None, **settings):
        if isinstance(batch_tokens, bool) or not isinstance(batch_tokens, int) or batch_tokens < 1:
            raise ValueError(
                f"`batch_tokens` must be a positive integer. Received: {batch_tokens!r}."
            )
        model = load_text_function(path, task, sp_model, config, **settings)
        self.record = model.record
        self.text_inputs = list(model.record["text_inputs"])
        self.source = model.source
        self.hidden_size = model.hidden_size
        self.batch_tokens = batch_tokens
        self.text_function = model
        self.token_counts = TokenCounts(model.sp_model.processor, model.record)

    def __call__(self, inputs=None, /, *, top_k=AUTO, **fields):
        """Answers.

        Args:
          inputs: One text, tuple or dict as in the table above; or a list, an array, a generator
            or any other iterable of such. The dicts have the keys `text_inputs`.
          top_k: Number of answers to each text, best first, in a list; None for all of them:
            labels, spans or choices. Default: the best answer alone; of several labels those
            predicted; of fill-mask as many as the model gives.
          **fields: Instead of `inputs`: `question="...", context="..."` and the like, each one text
            or a list of texts.

        Returns:
          The answer to one text; a list of answers to something of known length, vectors as an
          array [n, H]; an iterator over answers to a generator, which is read some thousand texts
          ahead.

        Raises:
          TypeError, ValueError: An input is not as above; the message has its index.
        """
        check_top_k(top_k, self.record["task"])
        if fields:
            if inputs is not None:
                raise ValueError(
                    "Texts are given by position or by name. Received: both. Leave one out."
                )
            inputs = zipped(fields, self.text_inputs)
        if is_one(inputs):
            (answer,) = self.answer([self.row(inputs, "the text")], top_k)[0]
            return answer
        if isinstance(inputs, tf.data.Dataset):
            inputs = inputs.as_numpy_iterator()
        if not isinstance(inputs, collections.abc.Iterable):
            raise TypeError(
                "Inputs must be a text or an iterable of texts. Received: "
                f"{brief(inputs)} of type {type(inputs).__name__}."
            )
        rows = (self.row(item, f"text {i}") for i, item in enumerate(inputs))
        if not isinstance(inputs, collections.abc.Sized):
            return self._stream(rows, top_k)
        found = list(self._stream(list(rows), top_k))  # All are checked before any is computed.
        if self.record["task"] != "embedding":
            return found
        return np.stack(found) if found else np.zeros([0, self.hidden_size], np.float32)

    def row(self, item, place):
        """One input as a tuple of str, checked, for `answer`.

        Args:
          item: As an input of a call.
          place: What errors call it, such as "rows.csv:3".
        """
        masked = self.record["task"] == "fill_mask"
        row = as_row(item, self.text_inputs, place, masked)
        if masked:
            before, _, _ = row[0].rpartition(MASK)
            if self.token_counts.prefix(before) + 3 > self.record["seq_length"]:
                raise ValueError(
                    f"Every {MASK} must be within the first {self.record['seq_length']} tokens of "
                    f"its text. Received: {place}: {brief(row[0])}. Keep what is near the mask."
                )
        return row

    def answer(self, rows, top_k=AUTO):
        """Answers to a window of rows, in their order.

        Args:
          rows: List of what `row` returns: some thousand, for all are computed now.
          top_k: As of a call.

        Returns:
          `(answers, tokens)`: the list of answers, and how many tokens were computed, int.
        """
        costs = self.token_counts(rows)
        kinds = [len(row[-1]) if isinstance(row[-1], tuple) else 0 for row in rows]
        found = [None] * len(rows)
        for batch in batches(costs, self.batch_tokens, kinds):
            chosen = [rows[i] for i in batch]
            columns = dict(zip(self.text_inputs, map(tf.constant, map(list, zip(*chosen)))))
            outputs = {k: x.numpy() for k, x in self.text_function.function(**columns).items()}
            for i, answer in zip(batch, answers(outputs, chosen, self.record, top_k)):
                found[i] = answer
        return found, sum(costs)

    def _stream(self, rows, top_k):
        for window in windows(rows):
            yield from self.answer(window, top_k)[0]
