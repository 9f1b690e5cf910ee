"""`python -m tests`: the tests in both Keras generations, side by side.

Arguments go to pytest; without `-m`, slow tests are left out. `--quick` checks the style, and runs
the tests that take little and tell much: it is for every commit.
"""

import subprocess
import sys

import pytest

# One thread for each of the two workers, and for what they start; XLA compiles what runs once.
ENVIRONMENT = [
    "TF_NUM_INTRAOP_THREADS=1",
    "OMP_NUM_THREADS=1",
    "XLA_FLAGS=--xla_backend_optimization_level=0",
]
GENERATIONS = {"keras_3": "TF_USE_LEGACY_KERAS=0", "tf_keras": "TF_USE_LEGACY_KERAS=1"}
# What most mistakes break, without exports, training runs and programs.
QUICK = [
    "tests/layers",
    "tests/text/test_packing.py",
    "tests/text/test_reference.py",
    "tests/data/test_masking.py",
    "tests/data/test_segments.py",
    "tests/checkpoints/test_matching.py",
    "tests/checkpoints/test_names.py",
    "tests/saved_model/test_input_forms.py",
    "tests/training/test_schedules.py",
    "tests/test_architecture.py",
    "tests/test_config.py",
    "tests/test_encoder.py",
]


def main():
    arguments = sys.argv[1:]
    if "--quick" in arguments:
        arguments.remove("--quick")
        for command in ("check", "format --check"):
            subprocess.run([sys.executable, "-m", "ruff", *command.split(), "."], check=True)
        arguments += QUICK
    if "-m" not in arguments:
        arguments += ["-m", "not slow"]
    workers = [
        "//".join(["--tx=popen", f"id={name}", *(f"env:{x}" for x in [variable, *ENVIRONMENT])])
        for name, variable in GENERATIONS.items()
    ]
    print(f"Starting {' and '.join(GENERATIONS)}, each in a process of its own.", flush=True)
    plugins = ["-ptests.processes", "-ptests.report"]
    sys.exit(pytest.main([*plugins, "--dist=each", *workers, "--durations=20", *arguments]))


if __name__ == "__main__":
    main()
