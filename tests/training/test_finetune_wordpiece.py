"""Fine-tuning, filling masks and converting with a vocab.txt."""

import json

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from albert_tf.data.tasks.squad import SquadExample, SquadSet
from albert_tf.data.tasks.squad_features import squad_features
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer
from albert_tf.training.finetuning.finetune import finetune
from albert_tf.training.finetuning.options import FinetuneOptions
from albert_tf.training.finetuning.tasks import make_task

pytest.importorskip("tensorflow_text")


@pytest.fixture
def data(tmp_path):
    for split in ("train", "dev"):
        rows = "天气很好,好\nThe 天气很坏,坏\n" * 4
        (tmp_path / f"{split}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    return tmp_path


def run(data, output, checkpoint, export=True, **changes):
    return finetune(
        make_task("classification", data_dir=data),
        output,
        checkpoint,
        options=FinetuneOptions(detect_collapse=False, export=export),
        train_steps=1,
        warmup_steps=0,
        batch_size=4,
        max_seq_length=16,
        **changes,
    )


def test_classification(data, wordpiece_checkpoint):
    config = wordpiece_checkpoint / "tokenizer_config.json"
    config.write_text(json.dumps({"do_lower_case": False}))
    output = data / "run"
    result = run(data, output, wordpiece_checkpoint)
    assert "accuracy" in result.scores["dev"]
    record = json.loads((output / "task.json").read_text())
    assert (record["rules"], record["do_lower_case"]) == ("original", False)
    lines = (wordpiece_checkpoint / "vocab.txt").read_bytes()
    assert (output / "vocab.txt").read_bytes() == lines
    loaded = tf.saved_model.load(str(output / "saved_model"))
    assert not loaded.do_lower_case.numpy()
    answer = loaded.signatures["serving_default"](text=tf.constant(["The 天气"]))
    tokenizer = WordPieceReferenceTokenizer(output / "vocab.txt")  # Looks into task.json.
    assert not tokenizer.lower
    ids = [[4, *tokenizer.encode("The 天气"), 5]]
    same = loaded.signatures["ids"](
        input_word_ids=tf.constant(ids),
        input_mask=tf.ones_like(ids),
        input_type_ids=tf.zeros_like(ids),
    )
    np.testing.assert_allclose(answer["probabilities"], same["probabilities"], atol=1e-5)


def test_added_pieces(data, wordpiece_checkpoint):
    grown = data / "grown.txt"
    grown.write_bytes((wordpiece_checkpoint / "vocab.txt").read_bytes() + "雨\n".encode())
    with pytest.raises(ValueError, match="with 223 pieces.*`finetune` and `pretrain` take"):
        run(data, data / "run", wordpiece_checkpoint, vocab_file=grown)
    with pytest.raises(ValueError, match="can grow, not shrink.*at least 222. Received: 221"):
        run(data, data / "run", wordpiece_checkpoint, vocab_size=221)
    options = {"vocab_file": grown, "vocab_size": 223, "export": False}
    model = run(data, data / "run", wordpiece_checkpoint, **options).model
    assert model.encoder.albert_config.vocab_size == 223
    assert albert_tf.AlbertEncoder.from_checkpoint(data / "run").albert_config.vocab_size == 223


def test_fill_mask(wordpiece_checkpoint):
    fill = albert_tf.FillMask.from_checkpoint(wordpiece_checkpoint)
    (best,) = fill("我爱[MASK]ing 北京龘", top_k=1, targets=["国"])
    assert best["token_str"] == "国" and best["sequence"] == "我 爱 国 ing 北 京 [UNK]"
    (best,) = fill("un [MASK]", top_k=1, targets=["##able"])
    assert best["sequence"] == "unable"


def test_span_places(vocab_file):
    context = "我在 Cafe\u0301 看电影。"
    start = context.index("Cafe")
    example = SquadExample("1", "在哪里?", context, answers=(("Cafe\u0301", start),))
    features = squad_features(
        SquadSet([example], files=[]),
        WordPieceReferenceTokenizer(vocab_file),
        32,
        16,
        8,
        is_training=True,
    )
    rows = features.rows(0, 1)
    first, last = rows["start_positions"][0], rows["end_positions"][0]
    offsets, shift = features.contexts[0].offsets, features.first_context_position(0)
    assert first == last
    assert context[offsets.starts[first - shift] : offsets.ends[last - shift] + 1] == "Cafe\u0301"
