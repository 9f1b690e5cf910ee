"""The notebooks in docs/notebooks: outputs are kept, and a run gives the same again."""

import ast
import importlib.util
import json
import pathlib
import re

import pytest

from albert_tf._keras import KERAS_3

DOCS = pathlib.Path(__file__).parent.parent / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


def module(name):
    """A module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_are_two():
    assert [path.stem for path in NOTEBOOKS] == ["embed_and_search", "finetune_and_serve"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_been_run_from_beginning_to_end(path):
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert any("text" in output for output in outputs)
    # Of the machine that ran it nothing is told.
    assert not re.search(r"/(tmp|root|home|Users)/", path.read_text(encoding="utf-8"))
    for cell in cells:
        ast.parse("".join(cell["source"]))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_page_of_a_notebook_shows_its_code_outputs_and_pictures(path):
    text, pictures = module("notebook_pages").notebook_page(path)
    assert text.startswith("# ") and f"[Download this notebook]({path.name})" in text
    assert text.count("```python\n") == len(code_cells(path)) and "Output" in text
    assert pictures and all(f"]({name})" in text for name in pictures)
    for name, content in pictures.items():
        assert content.startswith(b"\x89PNG") or b"<svg" in content, name
    for target in set(re.findall(r"\]\((\.\./[^)#]*)", text)):
        assert (path.parent / target).is_file(), target


@pytest.mark.slow
@pytest.mark.skipif(not KERAS_3, reason="the notebooks are written for Keras 3")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_run_prints_what_the_notebook_shows(path):
    pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    run_notebooks = module("run_notebooks")
    kept = nbformat.read(path, as_version=4)
    for before, now in zip(kept.cells, run_notebooks.executed(path).cells):
        if before.cell_type == "code":
            kinds = [[sorted(o.get("data", {})) for o in cell.outputs] for cell in (before, now)]
            if "varies" not in before.metadata.get("tags", []):
                assert run_notebooks.printed(now) == run_notebooks.printed(before)
                assert kinds[0] == kinds[1]
