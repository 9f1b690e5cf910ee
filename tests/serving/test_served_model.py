"""New versions take the place of older ones; broken ones do not."""

import concurrent.futures
import shutil
import time
import weakref

import pytest

pytest.importorskip("fastapi", reason="albert_tf[serve] is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("uvicorn", reason="albert_tf[serve] is not installed")

from albert_tf.serving.opening import open_models  # noqa: E402
from albert_tf.serving.request_error import RequestError  # noqa: E402
from tests.prediction.models import INPUTS  # noqa: E402
from tests.serving.clients import serving  # noqa: E402


@pytest.fixture
def base(model_of, tmp_path):
    """A directory with version 1."""
    shutil.copytree(model_of("classifier"), tmp_path / "m" / "1")
    return tmp_path / "m"


def test_versions(base, model_of):
    (base / "notes").mkdir()
    (base / "007x").mkdir()
    model = open_models([f"m={base}"])["m"]
    told = []
    first = weakref.ref(model.current.keep)
    model.poll(told.append)
    assert model.current.version == 1 and not told
    shutil.copytree(model_of("embedding"), base / "3")
    model.poll(told.append)
    assert model.current.version == 1, "it may still be written"
    model.poll(told.append)
    assert model.current.version == 3 and told == ["Version 3 of m is served, instead of 1."]
    model.poll(told.append)
    assert first() is None, "the older one is unloaded"
    with pytest.raises(RequestError, match="no version 1 of model 'm'. .* is 3"):
        model.version(1)
    # An older one is not served; that is what is left when the newer one has gone.
    shutil.rmtree(base / "3")
    model.poll(told.append)
    model.poll(told.append)
    assert model.current.version == 1
    shutil.rmtree(base)
    model.poll(told.append)
    assert model.current.version == 1, "what is loaded is served"


def test_a_version_that_cannot_be_loaded(base, model_of):
    model = open_models([str(base)])["m"]
    shutil.copytree(base / "1", base / "2")
    (base / "2" / "saved_model.pb").write_bytes(b"\xff broken")
    told = []
    for _ in range(4):
        model.poll(told.append)
    assert model.current.version == 1 and len(told) == 1
    assert told[0].startswith("Version 2 of m cannot be served, 1 stays. Received: ")
    states = {s["version"]: s for s in model.status()["model_version_status"]}
    assert states["1"]["state"] == "AVAILABLE" and states["2"]["state"] == "END"
    assert states["2"]["status"]["error_message"]
    shutil.rmtree(base / "2")
    shutil.copytree(base / "1", base / "2")
    for _ in range(3):
        model.poll(told.append)
    assert model.current.version == 2, "it has been mended"
    assert list(model.status()["model_version_status"]) == [
        {"version": "2", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    ]


def test_no_request_is_lost_when_the_version_changes(base):
    models = open_models([f"m={base}"])
    done = False

    def ask():
        answers = []
        while not done:
            body = {"instances": INPUTS["classifier"]}
            answers.append(client.post("/v1/models/m:predict", json=body))
        return answers

    with serving(models, poll_s=0.02) as client, concurrent.futures.ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        for version in ("2", "3"):
            shutil.copytree(base / "1", base / version)
            until = time.monotonic() + 60
            while client.get("/v1/models/m/metadata").json()["model_spec"]["version"] != version:
                assert time.monotonic() < until
        done = True
        answers = [answer for future in asking for answer in future.result()]
    assert len(answers) > 5 and {answer.status_code for answer in answers} == {200}
    labels = {tuple(row["label"] for row in answer.json()["predictions"]) for answer in answers}
    assert len(labels) == 1


def test_names_and_paths(base, model_of, tmp_path):
    assert list(open_models([str(base / "1")])) == ["m"]
    run = tmp_path / "my run"
    shutil.copytree(model_of("regression"), run / "saved_model")
    assert list(open_models([str(run)])) == ["my_run"]
    with pytest.raises(ValueError, match="name of its own. Received: m twice"):
        open_models([str(base), f"m={base}"])
    for argument in ("a b=" + str(base), "m=", ""):
        with pytest.raises(ValueError, match="NAME has letters.* Received: "):
            open_models([argument])
    with pytest.raises(FileNotFoundError):
        open_models([f"m={tmp_path / 'none'}"])
