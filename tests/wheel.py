"""`python -m tests.wheel [REQUIREMENT ...]`: the package as users get it.

Builds the sdist and from it the wheel, installs the wheel in a fresh environment, with the further
requirements given, such as "tensorflow==2.20.*", and uses it outside the checkout: all commands'
--help, the main job, and in both Keras generations the tests that compare with recorded numbers.
It is no pytest test, for it needs a package index and minutes; CI runs it.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).parent.parent
TOP_OF_SDIST = {
    *("CHANGELOG.md", "CITATION.cff", "LICENSE", "MANIFEST.in", "PKG-INFO", "README.md"),
    *("albert_tf", "albert_tf.egg-info", "pyproject.toml", "setup.cfg", "setup.py"),
}
# Against recordings: the original's numbers, those of TF Hub, Hugging Face and KerasHub; the text.
GOLDENS = [
    *("tests/test_encoder.py", "tests/test_pretrainer.py", "tests/tasks", "tests/text"),
    *("tests/checkpoints/test_hugging_face.py", "tests/checkpoints/test_keras_hub.py"),
    "tests/conformance/test_encoder_saved_model.py",
    *("tests/training/test_optimizers.py", "tests/training/test_losses.py"),
    "tests/training/test_schedules.py",
    *("-m", "not slow"),
    *("-k", "(equal or keras_hub or test_numbers) and not onehot and not mirrored"),
]
WHAT_IS_INSTALLED = """
import importlib.metadata
import albert_tf, keras, tensorflow
assert albert_tf.__version__ == importlib.metadata.version("albert_tf")
print(albert_tf.__file__, "TensorFlow", tensorflow.__version__, "Keras", keras.__version__)
"""


def run(*command, cwd, **environment):
    """The output of a command that must succeed, printed if it does not."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    environment.pop("PYTHONPATH", None)
    process = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if process.returncode:
        print(process.stdout)
        raise SystemExit(f"error: {' '.join(map(str, command))} ended with {process.returncode}.")
    return process.stdout


def build(directory):
    """Builds both distributions, checks what they hold, and returns the wheel's path."""
    run(sys.executable, "-m", "build", "--outdir", directory, ROOT, cwd=directory)
    (sdist,), (wheel,) = directory.glob("*.tar.gz"), directory.glob("*.whl")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel, cwd=directory)
    with tarfile.open(sdist) as file:
        top = {name.split("/")[1] for name in file.getnames() if "/" in name}
    assert top == TOP_OF_SDIST, f"the sdist's top differs: {sorted(top ^ TOP_OF_SDIST)}"
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "albert_tf").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".png")
    }
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == package, f"the wheel's files differ: {sorted(inside ^ package)}"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names), names
    return wheel


def install(wheel, directory, requirements):
    """A fresh environment with the wheel; returns the folder of its programs."""
    run(sys.executable, "-m", "venv", directory, cwd=directory.parent)
    programs = directory / "bin"
    install = [programs / "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(
        *install,
        f"{wheel}[all]",
        "hypothesis>=6.100",
        "pytest>=8",
        *requirements,
        cwd=directory.parent,
    )
    run(programs / "pip", "check", cwd=directory.parent)
    return programs


def use(programs, directory):
    """What a user does first."""
    help_of_all = run(programs / "albert-tf", "--help", cwd=directory)
    commands = [line.split()[0] for line in help_of_all.splitlines() if re.match(r"  \w", line)]
    assert len(commands) > 10, help_of_all
    for command in commands:
        output = run(programs / "albert-tf", command, "--help", cwd=directory)
        assert "--" in output, output
    shutil.copy(ROOT / "examples" / "01_embed_sentences.py", directory)
    output = run(programs / "python", "01_embed_sentences.py", cwd=directory)
    assert "hub.KerasLayer computes the same" in output and "similarity.npy" in output, output
    encoder = directory / "exported" / "encoder"
    run(programs / "albert-tf", "check", f"--saved_model={encoder}", cwd=directory)
    output = run(programs / "albert-tf", "fill-mask", "she looked at [MASK] .", cwd=directory)
    assert "him" in output, output
    return f"the main job and --help of {len(commands)} commands passed"


def compare(programs, directory, legacy):
    """The tests against recordings, of a copy of the tests, so that they import the wheel."""
    output = run(
        *(programs / "python", "-m", "pytest", "-q", *GOLDENS),
        cwd=directory,
        TF_USE_LEGACY_KERAS=legacy,
    )
    return output[output.rindex("short test summary") :] if "short test" in output else output


def main():
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        for name in ("dist", "environment", "use", "compare"):
            (directory / name).mkdir()
        wheel = build(directory / "dist")
        programs = install(wheel, directory / "environment", sys.argv[1:])
        print(f"built and installed {wheel.name}", flush=True)
        output = run(programs / "python", "-c", WHAT_IS_INSTALLED, cwd=directory)
        assert str(directory / "environment") in output, output
        print(output.splitlines()[-1], flush=True)
        shutil.copytree(ROOT / "tests", directory / "compare" / "tests")
        shutil.copy(ROOT / "pyproject.toml", directory / "compare")
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(compare, programs, directory / "compare", k) for k in "01"]
            jobs.append(pool.submit(use, programs, directory / "use"))
            for job in jobs:
                print(job.result(), flush=True)


if __name__ == "__main__":
    main()
