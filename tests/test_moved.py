"""Old import paths, which early users' programs name."""

import importlib
import sys

import pytest

from albert_tf._moved import MOVED


@pytest.mark.parametrize("old", [name for name in MOVED if "beam" not in name])
def test_an_old_path_is_the_new_module(old):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"{old} has moved: import {MOVED[old]}."):
        module = importlib.import_module(old)
    assert module is importlib.import_module(MOVED[old])
    assert module.__spec__.name == module.__name__ == MOVED[old]


def test_from_import(monkeypatch):
    monkeypatch.delattr("albert_tf.data.squad_windows", raising=False)
    sys.modules.pop("albert_tf.data.squad_windows", None)
    with pytest.warns(DeprecationWarning, match="albert_tf.data.tasks.squad_windows"):
        from albert_tf.data import squad_windows
    assert squad_windows.__name__ == "albert_tf.data.tasks.squad_windows"
