import pytest

from albert_tf.data.pretraining.options import PretrainingOptions


def test_defaults():
    paper, original = PretrainingOptions(), PretrainingOptions(recipe="original")
    assert (paper.max_predictions_per_seq, paper.dupe_factor) == (77, 10)
    # The flags of Google's program.
    assert (original.max_seq_length, original.max_predictions_per_seq) == (512, 20)
    assert original.dupe_factor == 40
    assert (original.masked_lm_prob, original.short_seq_prob) == (0.15, 0.1)
    assert PretrainingOptions(recipe="original", do_permutation=True).predictions == 40


def test_ngram_probabilities():
    assert PretrainingOptions().ngram_probabilities() == pytest.approx([6 / 11, 3 / 11, 2 / 11])
    longer = PretrainingOptions(ngram=2, favor_shorter_ngram=False)
    assert longer.ngram_probabilities() == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "bert"}, "recipe must be 'paper' or 'original'. Received: 'bert'"),
        ({"max_seq_length": 4}, "max_seq_length must be an integer of at least 8. Received: 4"),
        ({"ngram": 0}, "ngram must be an integer of at least 1. Received: 0"),
        ({"dupe_factor": 1.5}, "dupe_factor must be an integer .* Received: 1.5"),
        ({"masked_lm_prob": 1.5}, "masked_lm_prob must be a probability .* Received: 1.5"),
        ({"masked_lm_prob": 0}, "masked_lm_prob must be above 0. Received: 0"),
        ({"short_seq_prob": -1}, "short_seq_prob must be a probability .* Received: -1"),
        ({"max_predictions_per_seq": 600}, "Received: 600 of 512"),
        ({"random_next_sentence": True}, "belongs to the recipe 'original'. Received: random"),
        ({"do_permutation": True}, "belongs to the recipe 'original'. Received: do_perm"),
        (
            {"recipe": "original", "do_permutation": True, "static_masks": False},
            "do_permutation needs static masks",
        ),
    ],
)
def test_bad_options(changes, message):
    with pytest.raises(ValueError, match=message):
        PretrainingOptions(**changes)
