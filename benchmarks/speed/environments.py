"""Virtual environments of the programs that albert_tf is compared with."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

_TENSORFLOW = ["tensorflow==2.21.0", "tensorflow-text==2.21.1"]

# Environment -> pinned packages. Those after "--no-deps" come without what they ask for: the Model
# Garden's package asks for an older TensorFlow and for dozens of libraries that its encoder does
# not use.
ENVIRONMENTS = {
    "torch": [
        "torch==2.13.0",
        "transformers==5.23.0",
        "onnx==1.23.2",
        "onnxscript==0.7.2",
        "sentencepiece==0.2.3",
        "sentence-transformers==6.2.0",
    ],
    "litert": ["ai-edge-litert==2.3.0"],
    "onnxruntime": ["onnxruntime==1.31.1"],
    "openvino": ["openvino==2026.4.1"],
    "keras_hub": [*_TENSORFLOW, "keras==3.15.1", "keras-hub==0.32.0"],
    "model_garden": [
        *_TENSORFLOW,
        "tf_keras==2.21.0",
        "gin-config==0.5.0",
        "scipy==1.17.1",
        "--no-deps",
        "tf-models-official==2.20.0",
        "tensorflow-model-optimization==0.8.1",
        "tensorflow-hub==0.16.1",
    ],
}


class NotInstalled(Exception):
    """An environment cannot be made here; the message is the reason."""


def python_of(name, directory):
    """The Python of an environment, which is made first if it is not there or not as pinned.

    Args:
      name: Key of `ENVIRONMENTS`, or None for this process's own Python.
      directory: Folder of all environments.

    Returns:
      The path of the program.

    Raises:
      NotInstalled: pip could not install a package.
    """
    if name is None:
        return sys.executable
    home = pathlib.Path(directory).expanduser() / name
    python, record = home / "bin" / "python", home / "packages.json"
    packages = ENVIRONMENTS[name]
    if record.exists() and json.loads(record.read_text()) == packages:
        return str(python)
    print(f"installing {name} into {home}", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    end = packages.index("--no-deps") if "--no-deps" in packages else len(packages)
    for arguments in (packages[:end], packages[end:]):
        if arguments:
            command = [str(python), "-m", "pip", "install", "--quiet", *arguments]
            process = subprocess.run(command, capture_output=True, text=True)
            if process.returncode:
                lines = [x for x in process.stderr.splitlines() if x.startswith("ERROR")]
                raise NotInstalled(f"pip: {(lines or ['failed'])[-1][:200]}")
    record.write_text(json.dumps(packages))
    return str(python)


def versions(python):
    """{package: version} of what matters to speed in an environment."""
    code = """
import importlib.metadata, json
wanted = ["tensorflow", "keras", "tf_keras", "torch", "transformers", "sentence-transformers",
    "tokenizers", "sentencepiece",
    "onnxruntime", "openvino", "keras-hub", "tf-models-official", "tensorflow-text", "numpy"]
installed = {}
for name in wanted:
    try:
        installed[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(installed))
"""
    output = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(output.stdout)


def machine():
    """What the numbers were measured on."""
    with open("/proc/cpuinfo") as file:
        lines = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processor": lines[0], "cores": cores, "memory_gb": round(memory / 1e9)}
