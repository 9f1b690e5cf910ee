import pytest

from albert_tf.checkpoints.vocabulary_file import find_vocabulary, require_vocabulary


def test_where_it_may_lie(tmp_path):
    assert find_vocabulary(tmp_path) is None
    for folder in ("assets/tokenizer", "variables"):
        (tmp_path / folder).mkdir(parents=True)
    vocabulary = tmp_path / "assets" / "tokenizer" / "vocabulary.spm"
    vocabulary.touch()
    assert find_vocabulary(tmp_path) == vocabulary
    assert find_vocabulary(tmp_path / "model.ckpt-best") == vocabulary
    assert find_vocabulary(tmp_path / "variables" / "variables") == vocabulary
    (tmp_path / "30k-clean.model").touch()
    assert find_vocabulary(tmp_path) is None  # Two: the user has to say.
    vocabulary.unlink()
    assert find_vocabulary(str(tmp_path)) == tmp_path / "30k-clean.model"


@pytest.mark.parametrize("name", ["vocab.txt", "assets/vocab_chinese.txt"])
def test_wordpiece_where_there_is_no_sentencepiece_model(tmp_path, name):
    (tmp_path / "assets").mkdir()
    (tmp_path / "merges.txt").touch()
    (tmp_path / name).touch()
    assert find_vocabulary(tmp_path) == tmp_path / name
    (tmp_path / "vocab_other.txt").touch()
    assert find_vocabulary(tmp_path) is None
    (tmp_path / "spiece.model").touch()
    assert find_vocabulary(tmp_path) == tmp_path / "spiece.model"


@pytest.mark.parametrize("with_checkpoint", [True, False])
def test_required(tmp_path, with_checkpoint):
    where = "with the checkpoint .*" if with_checkpoint else "since there is no checkpoint"
    with pytest.raises(ValueError, match=f"must be known. .* {where}. Pass `sp_model`"):
        require_vocabulary(tmp_path if with_checkpoint else None)
    (tmp_path / "30k-clean.model").touch()
    assert require_vocabulary(tmp_path) == tmp_path / "30k-clean.model"
