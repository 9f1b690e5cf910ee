import base64
import json
import re
import unicodedata

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from albert_tf.checkpoints.writers.hugging_face_tokenizer import read_vocabulary, write_tokenizer


@pytest.fixture
def written(tmp_path, sp_model):
    """{file name: content} of the small vocabulary's tokenizer."""
    write_tokenizer(tmp_path, read_vocabulary(sp_model, 1000), 64)
    return {path.name: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}


def test_vocabulary(sp_model):
    vocabulary = read_vocabulary(sp_model, 1000)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(sp_model))
    assert vocabulary.pieces == [
        (processor.IdToPiece(i), pytest.approx(processor.GetScore(i))) for i in range(1000)
    ]
    assert vocabulary.special_ids == {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4}
    assert vocabulary.config_ids == {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}


def test_files(written, tmp_path, sp_model):
    assert set(written) == {
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert (tmp_path / "spiece.model").read_bytes() == sp_model.read_bytes()
    special = written["special_tokens_map.json"]
    assert special["mask_token"] == "[MASK]" and special["bos_token"] == "[CLS]"
    config = written["tokenizer_config.json"]
    assert special.items() <= config.items()
    assert config["model_max_length"] == 64
    assert config["model_input_names"] == ["input_ids", "token_type_ids", "attention_mask"]


def test_tokenizer_json(written, sp_model):
    tokenizer = written["tokenizer.json"]
    vocabulary = read_vocabulary(sp_model, 1000)
    assert tokenizer["model"]["vocab"] == [list(piece) for piece in vocabulary.pieces]
    assert tokenizer["model"]["unk_id"] == 1
    tokens = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    # "(" and the like are not among them: text around them would get a "▁" that it has not.
    assert tokens == {"<pad>": 0, "<unk>": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    *_, precompiled = tokenizer["normalizer"]["normalizers"]
    assert base64.b64decode(precompiled["precompiled_charsmap"]) == vocabulary.charsmap


def test_patterns_are_those_of_python(written):
    white_space, _, combining, *_ = written["tokenizer.json"]["normalizer"]["normalizers"]
    characters = "".join(chr(point) for point in range(0x110000))

    def matched(normalizer):
        regex = normalizer["pattern"]["Regex"]
        regex = re.sub(r"\\x\{(\w+)\}", lambda m: rf"\U{int(m[1], 16):08x}", regex)
        return "".join(re.findall(regex, characters))

    assert matched(white_space) == "".join(filter(str.isspace, characters))
    assert matched(combining) == "".join(filter(unicodedata.combining, characters))


def test_cased(tmp_path, sp_model):
    write_tokenizer(tmp_path, read_vocabulary(sp_model, 1000), 64, lower=False)
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text())
    kinds = [step["type"] for step in tokenizer["normalizer"]["normalizers"]]
    assert kinds == ["Replace", "NFKD", "Replace", "Precompiled"]
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["do_lower_case"] is False


def test_other_vocabularies(tmp_path, sp_model):
    with pytest.raises(FileNotFoundError, match="must exist. Received: '.*no.model'"):
        read_vocabulary(tmp_path / "no.model", 1000)
    (tmp_path / "x.vocab").write_text("<pad>\t0\n")
    with pytest.raises(ValueError, match="a .vocab is only its readable list"):
        read_vocabulary(tmp_path / "x.vocab", 1000)
    with pytest.raises(ValueError, match="encoder's 30000 pieces. Received: '.*' of 1000 pieces"):
        read_vocabulary(sp_model, 30000)
    model = sentencepiece_model_pb2.ModelProto.FromString(sp_model.read_bytes())
    model.pieces[4].piece = "<mask>"
    model.normalizer_spec.add_dummy_prefix = False
    (tmp_path / "other.model").write_bytes(model.SerializeToString())
    with pytest.raises(
        ValueError, match=r"without \[MASK\], that is no unigram model with a space"
    ):
        read_vocabulary(tmp_path / "other.model", 1000)
