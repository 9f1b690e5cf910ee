"""Neighbours, duplicates and the picture, against plain NumPy."""

import numpy as np
import pytest

from albert_tf.prediction import similarity
from albert_tf.prediction.similarity import draw_heat_map, duplicates, nearest, read_vectors


@pytest.fixture
def vectors(monkeypatch):
    monkeypatch.setattr(similarity, "_BLOCK", 7)
    vectors = np.random.RandomState(0).randn(23, 5).astype(np.float32)
    vectors[20], vectors[11] = 2 * vectors[3], vectors[4]
    return vectors


def cosines(a, b):
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return a @ b.T


def test_nearest(vectors):
    scores, indices = nearest(vectors, vectors[:3], top_k=4)
    expected = np.sort(-cosines(vectors[:3], vectors), 1)[:, :4]
    np.testing.assert_allclose(scores, -expected, atol=1e-6)
    assert indices[:, 0].tolist() == [0, 1, 2] and indices.shape == (3, 4)
    assert nearest(vectors, vectors[:1], top_k=100)[0].shape == (1, 23)


def test_duplicates(vectors):
    found = {(i, j) for i, j, _ in duplicates(vectors, 0.9999)}
    assert found == {(3, 20), (4, 11)}
    expected = np.argwhere(np.triu(cosines(vectors, vectors) >= 0.5, 1)).tolist()
    assert sorted([i, j] for i, j, _ in duplicates(vectors, 0.5)) == expected


def test_heat_map(vectors, tmp_path):
    draw_heat_map(vectors, [f"text $ {i}" for i in range(23)], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="at most 5 vectors. Received: 23"):
        draw_heat_map(vectors, None, tmp_path / "b.png", most=5)


def test_heat_map_of_few_rows_has_numbers_and_every_color(tmp_path):
    import matplotlib

    vectors = np.float32([[1, 0], [0.96, 0.28], [0.6, 0.8]])
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        draw_heat_map(vectors, ["one", "two", "three"], tmp_path / "a.svg")
        drawing = (tmp_path / "a.svg").read_text()
        draw_heat_map(vectors, None, tmp_path / "b.svg")
        draw_heat_map(vectors[:1], ["alone"], tmp_path / "c.svg")
    for text in ("one", "three", "0.96", "0.60", "0.80", "1.00", "cosine"):
        assert f">{text}</text>" in drawing
    assert drawing.count(">0.96</text>") == 2 and ">one<" not in (tmp_path / "b.svg").read_text()
    assert "<dc:date>" not in drawing  # The same vectors give the same picture.


def test_files_without_vectors(tmp_path):
    np.save(tmp_path / "ids.npy", np.arange(3))
    with pytest.raises(ValueError, match=r"ids.npy \(ValueError: an array of int64 \[3\]\)"):
        read_vectors(tmp_path / "ids.npy")
    (tmp_path / "a.jsonl").write_text('{"label": "x"}\n')
    with pytest.raises(ValueError, match="`albert-tf embed` has written.* Received: .*a.jsonl"):
        read_vectors(tmp_path / "a.jsonl")
    with pytest.raises(FileNotFoundError, match="existing file. Received: .*none.npy"):
        read_vectors(tmp_path / "none.npy")
