"""Three generations of save, load, save; each in a fresh process, its ancestors deleted."""

import pathlib
import shutil
import sys

import numpy as np

from tests import programs

SCRIPT = pathlib.Path(__file__).with_name("generation.py")


def test_three_generations(exported_encoder, exported_preprocessor, tmp_path):
    source = tmp_path / "generation0"
    shutil.copytree(exported_encoder, source / "encoder")
    shutil.copytree(exported_preprocessor, source / "preprocessor")
    results = []
    for generation in (1, 2, 3):
        target = tmp_path / f"generation{generation}"
        working_directory = tmp_path / f"elsewhere{generation}"
        working_directory.mkdir()
        result = tmp_path / f"result{generation}.npz"
        command = [sys.executable, SCRIPT, source, target, result]
        programs.run(command, cwd=working_directory, check=True)
        shutil.rmtree(source)
        results.append(dict(np.load(result)))
        source = target
    for later in results[1:]:
        for name, value in results[0].items():
            np.testing.assert_array_equal(later[name], value, err_msg=name)
    np.testing.assert_array_equal(results[0]["both"], results[0]["pooled"])
