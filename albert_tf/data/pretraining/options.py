"""What pre-training records are made of: lengths, masking, sentence order."""

import dataclasses
import math

RECIPES = ("paper", "original")


@dataclasses.dataclass(frozen=True)
class PretrainingOptions:
    """How documents become pre-training records.

    Recipe "paper" is ALBERT as the paper describes it: the order label comes from swapped neighbors
    only, half the time; a chunk of a single sentence becomes one segment without order loss
    (`next_sentence_weights` 0); words and n-grams end where a segment ends; a random replacement is
    never a special piece; sequences are shortened with `short_seq_prob` each.

    Recipe "original" is what Google's program does: a single sentence gets a random second document
    as segment b with label 1 even in sentence-order mode, words and n-grams run on over [SEP],
    replacements come from the whole vocabulary, and `short_seq_prob` is drawn once a document.

    Does not include the vocabulary, the text and how it is read.

    Args:
      recipe: "paper" or "original".
      max_seq_length: Length of all records, [CLS] and [SEP] included.
      max_predictions_per_seq: Length of the masked_lm_* features. None: all that `masked_lm_prob`
        asks for in the recipe "paper" (77 of 512), 20 in "original". Fewer mask less than
        `masked_lm_prob`.
      masked_lm_prob: Part of the tokens to predict, special tokens counted.
      ngram: Longest n-gram to mask, in words.
      favor_shorter_ngram: Draw n with p(n) proportional to 1/n, as the paper; False reverses it.
      do_whole_word_mask: Mask words; False masks single pieces.
      short_seq_prob: Probability of a shorter target length, uniform from 2 to the longest.
      dupe_factor: How often the text is gone through, each time with other chunks and masks. None:
        10 for "paper", 40 for "original".
      static_masks: Write masked records. False writes unmasked ones for
        `albert_tf.data.pretraining.dynamic_masking`.
      random_next_sentence: "original" only: half of the chunks get a random second document (BERT's
        next sentence prediction) and none is swapped.
      do_permutation: "original" only: also shuffle as many tokens again and predict them.

    Raises:
      ValueError: If a value is out of range or belongs to the other recipe.

    Example:
      >>> from albert_tf.data.pretraining.options import PretrainingOptions
      >>> PretrainingOptions(max_seq_length=128).max_predictions_per_seq
      20

    Reference: arXiv 1909.11942, sections 3.1 and 4.1; flags of `create_pretraining_data.py`.
    """

    recipe: str = "paper"
    max_seq_length: int = 512
    max_predictions_per_seq: int | None = None
    masked_lm_prob: float = 0.15
    ngram: int = 3
    favor_shorter_ngram: bool = True
    do_whole_word_mask: bool = True
    short_seq_prob: float = 0.1
    dupe_factor: int | None = None
    static_masks: bool = True
    random_next_sentence: bool = False
    do_permutation: bool = False

    def __post_init__(self) -> None:
        original = self.recipe == "original"
        if self.recipe not in RECIPES:
            raise ValueError(f"recipe must be 'paper' or 'original'. Received: {self.recipe!r}.")
        if self.dupe_factor is None:
            object.__setattr__(self, "dupe_factor", 40 if original else 10)
        _check_integer("max_seq_length", self.max_seq_length, at_least=8)
        _check_integer("ngram", self.ngram, at_least=1)
        _check_integer("dupe_factor", self.dupe_factor, at_least=1)
        _check_probability("masked_lm_prob", self.masked_lm_prob)
        _check_probability("short_seq_prob", self.short_seq_prob)
        if not self.masked_lm_prob:
            raise ValueError(
                "masked_lm_prob must be above 0. Received: 0. Records without masks are written "
                "with static_masks=False."
            )
        if self.max_predictions_per_seq is None:
            length = self.max_seq_length
            most = min(20, length) if original else math.ceil(self.masked_lm_prob * length)
            object.__setattr__(self, "max_predictions_per_seq", most)
        _check_integer("max_predictions_per_seq", self.max_predictions_per_seq, at_least=1)
        if self.max_predictions_per_seq > self.max_seq_length:
            raise ValueError(
                "max_predictions_per_seq must not be above max_seq_length. "
                f"Received: {self.max_predictions_per_seq} of {self.max_seq_length}."
            )
        for name in ("random_next_sentence", "do_permutation"):
            if getattr(self, name) and not original:
                raise ValueError(
                    f"{name} belongs to the recipe 'original'. Received: {name}=True with recipe "
                    f"{self.recipe!r}. Pass recipe='original' to have it."
                )
        if self.do_permutation and not self.static_masks:
            raise ValueError(
                "do_permutation needs static masks. Received: do_permutation=True with "
                "static_masks=False. Leave one of them out."
            )

    @property
    def predictions(self) -> int:
        """Length of the masked_lm_* features; permuted tokens take as many again."""
        return self.max_predictions_per_seq * (2 if self.do_permutation else 1)

    def ngram_probabilities(self) -> list[float]:
        """p(n) for n = 1, 2, ..., ngram: list of float."""
        weights = [1 / n for n in range(1, self.ngram + 1)]
        if not self.favor_shorter_ngram:
            weights.reverse()
        return [weight / sum(weights) for weight in weights]


def _check_integer(name, value, at_least):
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}. Received: {value!r}.")


def _check_probability(name, value):
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a probability from 0 to 1. Received: {value!r}.")
