"""The model that the package carries."""

import pathlib
import shutil

import numpy as np
import tensorflow as tf

import albert_tf
from albert_tf import albert_tiny_en
from tests.random_tiny import CHECKPOINT


def test_loads_by_its_bare_name_with_both_heads():
    model = albert_tf.AlbertPretrainer.from_checkpoint("albert_tiny_en")
    assert model.restore_report.ok and model.count_params() == 1_630_082
    assert model.masked_lm is not None and model.sentence_order is not None
    encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    ids = tf.constant([[2, 9, 3]])
    pooled, _ = encoder([ids, tf.ones_like(ids), tf.zeros_like(ids)])
    assert pooled.shape == (1, 192) and np.isfinite(pooled).all()


def test_a_directory_of_this_name_goes_first(tmp_path, monkeypatch):
    shutil.copytree(CHECKPOINT, tmp_path / "albert_tiny_en")
    monkeypatch.chdir(tmp_path)
    encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    assert encoder.albert_config.hidden_size == 64


def test_has_learned_words():
    fill = albert_tf.FillMask.from_checkpoint("albert_tiny_en")
    for text, expected in (
        ("she looked at [MASK] and smiled .", {"her", "him"}),
        ("he took her [MASK] and kissed it .", {"face", "hand", "head"}),
        ("it was the end [MASK] the day .", {"of"}),
    ):
        found = {answer["token_str"] for answer in fill(text, top_k=5)}
        assert expected & found, (text, found)


def test_is_small():
    files = pathlib.Path(albert_tiny_en.CHECKPOINT).iterdir()
    assert sum(file.stat().st_size for file in files if file.is_file()) < 10e6
