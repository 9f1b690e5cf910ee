"""`python -m tests`: the tests in both Keras generations, side by side.

Arguments go to pytest; without `-m`, slow tests are left out.
"""

import os
import subprocess
import sys
import tempfile


def start(arguments, legacy):
    output = tempfile.TemporaryFile("w+")
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1" if legacy else "0"}
    command = [sys.executable, "-m", "pytest", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    return process, output


def main():
    arguments = sys.argv[1:]
    if "-m" not in arguments:
        arguments += ["-m", "not slow"]
    runs = {
        name: start(arguments, legacy)
        for name, legacy in (("Keras 3", False), ("tf_keras (TF_USE_LEGACY_KERAS=1)", True))
    }
    statuses = []
    for name, (process, output) in runs.items():
        statuses.append(process.wait())
        output.seek(0)
        print(f"===== {name} =====\n{output.read()}", flush=True)
    sys.exit(max(statuses))


if __name__ == "__main__":
    main()
