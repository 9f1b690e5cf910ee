from albert_tf.text.full_tokenizer import FullSentencePieceTokenizer
from tests.conftest import FIXTURES
from tests.text.test_reference import RECORDINGS


def test_equals_the_recorded_tokenizer_on_text_as_it_is():
    path = str(FIXTURES / "tiny.model").encode()  # As asset_path.numpy() gives it.
    tokenizer = FullSentencePieceTokenizer(path)
    for r in RECORDINGS:
        pieces = tokenizer.tokenize(r["text"])
        assert pieces == r["tiny_raw"]["pieces"]
        assert tokenizer.convert_tokens_to_ids(pieces) == r["tiny_raw"]["ids"]
    assert tokenizer.convert_ids_to_tokens([2, 3, 4]) == ["[CLS]", "[SEP]", "[MASK]"]
    assert tokenizer.convert_tokens_to_ids(["[CLS]", "no such piece"]) == [2, 1]
    assert tokenizer.vocab["[MASK]"] == 4 and tokenizer.inv_vocab[4] == "[MASK]"
    assert len(tokenizer.vocab) == len(tokenizer.inv_vocab) == 1000
    assert tokenizer.sp_model.GetPieceSize() == 1000
