import sys
import types

import pytest

from albert_tf.checkpoints.handles import hint, is_handle, resolve
from albert_tf.encoder import AlbertEncoder
from tests.conftest import GOLDENS

TINY = str(GOLDENS / "tiny")


@pytest.fixture
def client(monkeypatch):
    """Function (name of a client, of its function) that puts a recording one in its place."""

    def install(package, function, answer):
        calls = []

        def fetch(*args, **kwargs):
            calls.append((args, kwargs))
            if isinstance(answer, Exception):
                raise answer
            return answer

        module = types.ModuleType(package)
        setattr(module, function, fetch)
        monkeypatch.setitem(sys.modules, package, module)
        return calls

    return install


@pytest.mark.parametrize(
    "path, expected",
    [
        ("hf://a/b", True),
        ("https://www.kaggle.com/models/a", True),
        ("/a/b", False),
        ("C:\\a", False),
        ("a//b", False),
    ],
)
def test_is_handle(path, expected):
    assert is_handle(path) == expected


@pytest.mark.parametrize(
    "host", ["huggingface.co/a/b", "www.kaggle.com/models/a/b/c/d", "tfhub.dev/a/1"]
)
def test_without_tls(host):
    for scheme in ("http", "HTTP"):
        with pytest.raises(ValueError, match=f"begin with https://.*Write 'https://{host}'"):
            resolve(f"{scheme}://{host}")


@pytest.mark.parametrize(
    "handle, revision",
    [
        ("hf://albert/albert-base-v2", None),
        ("hf://albert/albert-base-v2@main", "main"),
        ("https://huggingface.co/albert/albert-base-v2/tree/8e2f", "8e2f"),
    ],
)
def test_hugging_face(client, tmp_path, handle, revision):
    (tmp_path / "model.safetensors").touch()
    calls = client("huggingface_hub", "snapshot_download", str(tmp_path))
    assert resolve(handle) == str(tmp_path)
    ((_, place),) = calls
    assert (place["repo_id"], place["revision"]) == ("albert/albert-base-v2", revision)
    assert "*.bin" not in place["allow_patterns"]


def test_hugging_face_with_older_files_only(client, tmp_path):
    calls = client("huggingface_hub", "snapshot_download", str(tmp_path))
    resolve("hf://a/b")
    assert len(calls) == 2 and "*.bin" in calls[1][1]["allow_patterns"]


@pytest.mark.parametrize(
    "handle",
    [
        "kaggle://google/albert/tensorFlow1/base/3",
        "https://www.kaggle.com/models/google/albert/frameworks/tensorFlow1/variations/base/versions/3",
    ],
)
def test_kaggle(client, handle):
    calls = client("kagglehub", "model_download", TINY)
    encoder = AlbertEncoder.from_checkpoint(handle)
    assert encoder.restore_report.path.startswith(TINY)
    assert calls == [(("google/albert/tensorFlow1/base/3",), {})]


def test_tf_hub(client):
    calls = client("tensorflow_hub", "resolve", TINY)
    assert resolve("https://tfhub.dev/google/albert_base/3") == TINY
    assert calls == [(("https://tfhub.dev/google/albert_base/3",), {})]


@pytest.mark.parametrize(
    "handle, package",
    [
        ("hf://albert/albert-base-v2", "huggingface_hub"),
        ("kaggle://google/albert/tensorFlow1/base", "kagglehub"),
        ("https://tfhub.dev/google/albert_base/3", "tensorflow-hub"),
    ],
)
def test_client_is_missing(monkeypatch, handle, package):
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
    with pytest.raises(ImportError, match=f"Received: '{handle}'.*Run `pip install {package}`"):
        AlbertEncoder.from_checkpoint(handle)


def test_offline(client):
    client("huggingface_hub", "snapshot_download", ConnectionError("no route to host\nmore"))
    with pytest.raises(
        OSError, match=r"within reach.*\(ConnectionError: no route to host\)\. Check"
    ):
        AlbertEncoder.from_checkpoint("hf://albert/albert-base-v2")


@pytest.mark.parametrize(
    "handle, message",
    [
        ("hf://albert-base-v2", "must be hf://OWNER/NAME. Received: 'hf://albert-base-v2'"),
        ("hf://a/../b", "must be hf://OWNER/NAME"),
        ("kaggle://google/albert", "must be kaggle://OWNER/MODEL/FRAMEWORK/VARIATION"),
        (
            "https://example.com/x.tar.gz",
            "known form: albert_tiny_en; hf://.* Received: 'https://example.com",
        ),
        ("s3://bucket/x", "must have a known form"),
        ("http://tfhub.dev/google/albert_base/3", "begin with https://: over"),
    ],
)
def test_bad_handles(handle, message):
    with pytest.raises(ValueError, match=message):
        AlbertEncoder.from_checkpoint(handle)


@pytest.mark.parametrize(
    "path, meant",
    [
        ("albert/albert-base-v2", "'hf://albert/albert-base-v2'"),
        ("hf:albert/albert-base-v2", "'hf://albert/albert-base-v2'"),
        ("huggingface.co/voidful/albert_chinese_tiny", "'hf://voidful/albert_chinese_tiny'"),
        ("albert-base-v2", "'hf://albert/albert-base-v2'"),
        (
            "albert_xxlarge_v1",
            "AlbertConfig.from_preset('albert_xxlarge_v1'), which has no weights",
        ),
        ("google/albert_base/3", "'https://tfhub.dev/google/albert_base/3'"),
        ("albert_tiny", "'albert_tiny_en', which this package carries"),
        ("albert-tiny-en", "'albert_tiny_en', which this package carries"),
    ],
)
def test_names_that_are_no_paths(path, meant):
    with pytest.raises(
        FileNotFoundError, match=r"A checkpoint must exist: .* Perhaps meant: "
    ) as e:
        AlbertEncoder.from_checkpoint(path)
    assert meant in str(e.value) and "albert_tiny_en" in str(e.value)


def test_paths_are_no_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    for path in ("runs/best", "./albert/albert-base-v2", str(tmp_path / "albert_base_v2"), "model"):
        assert hint(path) == ""
