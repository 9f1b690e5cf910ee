"""The rules that CONTRIBUTING.md states: one direction of imports, short files."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "albert_tf"
FILES = sorted(path.relative_to(ROOT) for path in PACKAGE.rglob("*.py"))

# Part -> parts that it may import, further down. Parts are folders, or single files at the top.
FOUNDATION = {
    "_keras",
    "_types",
    "config",
    "config_files",
    "inputs",
    "ids_model",
    "atomic",
    "lock",
    "albert_tiny_en",
    "messages",
    "task_record",
}
MODEL = FOUNDATION | {"checkpoints", "layers", "encoder", "heads", "pretrainer"}
ALLOWED = {
    "_keras": set(),
    "_moved": set(),
    "_types": set(),
    "_around_import": set(),
    "_saved_objects": {"_around_import"},
    "_tensorflow_log": {"_around_import"},
    "atomic": set(),
    "messages": set(),
    "lock": set(),
    "config_files": {"messages"},
    "albert_tiny_en": set(),
    "config": {"_types", "config_files", "messages"},
    "inputs": set(),
    "ids_model": {"_keras", "_types", "inputs"},
    "task_record": {"config_files", "atomic"},
    "text": {"_types", "config", "config_files", "atomic", "messages", "task_record"},
    "layers": {"_keras", "config"},
    "checkpoints": FOUNDATION,
    "encoder": FOUNDATION | {"layers", "checkpoints"},
    "heads": FOUNDATION | {"layers"},
    "pretrainer": FOUNDATION | {"encoder", "heads", "checkpoints"},
    "tasks": MODEL | {"text"},
    "fill_mask": {"_types", "config", "checkpoints", "pretrainer", "text", "task_record"},
    "saved_model": MODEL | {"text", "tasks"},
    "conversion": MODEL | {"saved_model", "tasks", "text"},
    "keras_layer": MODEL | {"saved_model", "text"},
    "exported_file": MODEL | {"saved_model"},
    "tflite": MODEL | {"exported_file", "saved_model", "tasks"},
    "onnx_file": MODEL | {"exported_file", "saved_model"},
    "data": {"_types", "config", "text", "atomic", "lock", "messages"},
    "prediction": MODEL | {"saved_model", "text", "data"},
    "serving": MODEL | {"prediction", "tasks", "text", "training"},
    "training": MODEL | {"data", "saved_model", "tasks", "text"},
}


def imports(path):
    """(part of albert_tf that is imported, whether at the top of the module)."""
    tree = ast.parse((ROOT / path).read_text())
    top = set(tree.body)
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "albert_tf" and len(parts) > 1:
                yield parts[1], node in top
            elif parts[0] in ("tensorflow_text", "tensorflow_hub", "export", "examples"):
                yield parts[0], node in top


def part_of(path):
    return path.parts[1].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_run_one_way(path):
    part = part_of(path)
    for imported, at_top in imports(path):
        assert imported not in ("export", "examples"), "the library does not know its commands"
        if imported in ("tensorflow_text", "tensorflow_hub"):
            assert not at_top, f"{imported} is optional: import it where it is needed"
        elif part in ALLOWED and imported != part:
            assert imported in ALLOWED[part], f"{part} must not import {imported}"


def test_every_part_has_a_rule():
    parts = {part_of(path) for path in FILES} - {"__init__", "__main__", "commands"}
    assert parts <= set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_files_are_short(path):
    lines = len((ROOT / path).read_text().splitlines())
    assert lines <= 400, "split it: one public idea a file"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_public_names_are_documented(path):
    tree = ast.parse((ROOT / path).read_text())
    definitions = [n for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))]
    for node in definitions:
        if not node.name.startswith("_") and path.parts[1] != "commands":
            assert ast.get_docstring(node), f"{node.name} has no docstring"
    assert not tree.body or ast.get_docstring(tree), "the module has no docstring"


def test_encoders_work_without_tensorflow_text_and_hub():
    code = """
import sys
import numpy as np
sys.modules["tensorflow_text"] = sys.modules["tensorflow_hub"] = None
import albert_tf
from albert_tf import albert_tiny_en
encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
albert_tf.ReferenceTokenizer(albert_tiny_en.SP_MODEL)
import tempfile, os
path = os.path.join(tempfile.mkdtemp(), "encoder")
albert_tf.export_encoder(encoder, path, sp_model=albert_tiny_en.SP_MODEL)
albert_tf.KerasLayer(path)([np.array([[2, 3]]), np.array([[1, 1]]), np.array([[0, 0]])])
try:
    albert_tf.Preprocessor(albert_tiny_en.SP_MODEL)
except ImportError as error:
    assert "pip install tensorflow-text" in str(error), error
else:
    raise AssertionError("no error without tensorflow-text")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
