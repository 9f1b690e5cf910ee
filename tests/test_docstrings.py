"""Every example of every docstring runs as a reader would run it: pasted into a fresh Python."""

import doctest
import importlib
import io
import pathlib
import tempfile

import pytest

import albert_tf

ROOT = pathlib.Path(__file__).parent.parent


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for path in sorted((ROOT / "albert_tf").rglob("*.py")):
        if ">>>" in path.read_text(encoding="utf-8"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            module = importlib.import_module(name.removesuffix(".__init__"))
            yield from finder.find(module, globs={})  # An example imports all that it uses.


# What examples need that is not in the extra `dev`.
NEEDS = {"onnx_file.export_onnx": ["tf2onnx", "onnxruntime"]}
EXAMPLES = {test.name.removeprefix("albert_tf."): test for test in examples() if test.examples}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name, tmp_path, monkeypatch):
    for module in NEEDS.get(name, []):
        pytest.importorskip(module, reason="albert_tf[onnx] is not installed")
    test = EXAMPLES[name]
    assert all(doctest.SKIP not in example.options for example in test.examples)
    if "import apache_beam" in test.docstring:
        pytest.importorskip("apache_beam", reason="apache-beam is not installed (extra [beam])")
    for folder in ("working", "temporary"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "working")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    report = io.StringIO()
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.write)
    assert result.failed == 0, report.getvalue()
    assert not list((tmp_path / "working").iterdir()), "it leaves files where the reader is"


@pytest.mark.parametrize("name", albert_tf.__all__)
def test_public_names_have_an_example(name):
    if callable(getattr(albert_tf, name)):
        assert ">>>" in getattr(albert_tf, name).__doc__
