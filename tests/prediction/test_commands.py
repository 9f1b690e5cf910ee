"""`albert-tf predict`, `embed`, `similarity` and `export`: equal to the Predictor."""

import io
import json

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.prediction.predictor import Predictor
from albert_tf.prediction.similarity import read_vectors
from tests.commands.command import call
from tests.prediction.models import INPUTS
from tests.prediction.test_predictor import alike


def written(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "kind", ["classifier", "token-classifier", "span-labeler", "multiple-choice", "fill-mask"]
)
def test_predict(kind, model_of, tmp_path, capsys, monkeypatch):
    predictor = Predictor(model_of(kind))
    items = [x for x in INPUTS[kind] if x and (isinstance(x, str) or all(x))]
    rows = [dict(zip(predictor.text_inputs, (x,) if isinstance(x, str) else x)) for x in items]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = [f"--input={tmp_path}/*.jsonl", f"--output={tmp_path / 'out' / 'answers.jsonl'}"]
    # Loading it again would take the most time of the test; `embed` and `export` do so below.
    monkeypatch.setattr("albert_tf.prediction.predictor.Predictor", lambda *_, **__: predictor)
    call("predict", f"--model={model_of(kind)}", *files)
    assert f"{len(items)} rows in" in capsys.readouterr().out
    found = [line.get("answers", line) for line in written(tmp_path / "out" / "answers.jsonl")]
    assert alike(found, predictor(items))


def test_more_words_for_a_mask(tiny_checkpoint, sp_model, tmp_path):
    (tmp_path / "in.txt").write_text("a [MASK] .\n")
    output = tmp_path / "out.jsonl"
    files = [f"--model={tiny_checkpoint}", f"--input={tmp_path}/in.txt", f"--output={output}"]
    call("predict", *files, f"--sp_model={sp_model}", "--task=fill-mask", "--top_k=7")
    assert len(written(output)[0]["answers"]) == 7


def test_embed_from_standard_input_and_search(model_of, tmp_path, monkeypatch, capsys):
    texts = ["one text", "another, longer text", "the third"]
    data = io.BytesIO("".join(f"{text}\n" for text in texts).encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    output = tmp_path / "vectors.npy"
    call("embed", f"--model={model_of('embedding')}", "--input=-", f"--output={output}")
    embed = Predictor(model_of("embedding"))
    np.testing.assert_allclose(read_vectors(output), embed(texts), atol=1e-5)
    assert not list(tmp_path.glob(".*"))

    (tmp_path / "texts.txt").write_text("\n".join(texts))
    capsys.readouterr()
    shown = [f"--vectors={output}", f"--texts={tmp_path / 'texts.txt'}"]
    call("similarity", *shown, "--query=the third", "--top_k=2")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["row"], first["text"]) == (2, "the third")
    assert first["score"] == pytest.approx(1, abs=1e-5) and second["score"] <= first["score"]
    pairs = tmp_path / "pairs.jsonl"
    heat_map = tmp_path / "map.png"
    call("similarity", *shown, "--duplicates=-1", f"--output={pairs}", f"--heat_map={heat_map}")
    assert [(x["row"], x["other_row"]) for x in written(pairs)] == [(0, 1), (0, 2), (1, 2)]
    assert heat_map.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="must end in .png or .svg. Received: .*map.pdf"):
        call("similarity", *shown, f"--heat_map={heat_map.with_suffix('.pdf')}")
    with pytest.raises(ValueError, match="what to look for: --query, --duplicates or --heat_map"):
        call("similarity", *shown)
    with pytest.raises(ValueError, match="file that was embedded: 3 rows. Received: .* with 4"):
        (tmp_path / "texts.txt").write_text("\n".join([*texts, "more"]))
        call("similarity", *shown, "--query=a")


def test_export_any_task(model_of, tmp_path, capsys, unchecked):
    path = tmp_path / "models" / "albert" / "1"
    call("export", f"--checkpoint={model_of('multi-label')}", f"--output={path}", "--warmup")
    assert (path / "assets.extra" / "tf_serving_warmup_requests").is_file()
    texts = INPUTS["multi-label"]
    again, before = Predictor(path), Predictor(model_of("multi-label"))
    assert again.record == before.record and alike(again(texts), before(texts))
    path = path.with_name("2")
    settings = ["--task=embedding", "--pooling=cls", "--nonormalize", "--compute_dtype=bfloat16"]
    call("export", f"--checkpoint={model_of('classifier')}", f"--output={path}", *settings)
    assert Predictor(path).record["pooling"] == "cls"
    exact = Predictor(model_of("classifier"), "embedding", pooling="cls", normalize=False)
    difference = np.abs(Predictor(path)(texts) - exact(texts)).max()
    assert 0 < difference < 0.1
    loaded = tf.saved_model.load(path)
    assert json.loads(loaded.computation().numpy())["compute_dtype"] == "bfloat16"
    with pytest.raises(FileExistsError, match="must not exist yet"):
        call("export", f"--checkpoint={model_of('classifier')}", f"--output={path}")


def test_wrong_flags(model_of, tmp_path):
    files = [f"--model={model_of('classifier')}", "--input=a.txt", f"--output={tmp_path}/a.jsonl"]
    with pytest.raises(ValueError, match="--top_k must be a number, or all. Received: x"):
        call("predict", *files, "--top_k=x")
    with pytest.raises(ValueError, match="--shard must be i/n, such as 0/4. Received: 1"):
        call("predict", *files, "--shard=1")
    with pytest.raises(ValueError, match="`albert-tf embed` writes vectors. Received: --task=fill"):
        call("embed", *files, "--task=fill-mask")
