"""The programs that are compared, and the files that they load."""

import dataclasses
import pathlib
import subprocess

from benchmarks.speed import environments
from benchmarks.speed.environments import NotInstalled
from benchmarks.speed.worker import PEERS, NotMeasured, Worker


@dataclasses.dataclass(frozen=True)
class Program:
    """How to start a program: environment (None: this one's), file in peers/, command line.

    An argument such as "{onnx}" is the path of that file of `FILES`.
    """

    environment: str | None
    script: str
    arguments: tuple = ()


OURS = "albert_tf"
SKIP_PADDING = "albert_tf, skip_padding"
PYTORCH = "PyTorch (sdpa)"
ENCODERS = {
    OURS: Program(None, "saved_model.py", ("{encoder}",)),
    "albert_tf, XLA": Program(None, "saved_model.py", ("{encoder}", "--jit")),
    "ONNX Runtime": Program("onnxruntime", "onnx_model.py", ("onnxruntime", "{onnx}")),
    "OpenVINO": Program("openvino", "onnx_model.py", ("openvino", "{onnx}")),
    PYTORCH: Program("torch", "torch_model.py"),
    "PyTorch, torch.compile": Program("torch", "torch_model.py", ("--compile",)),
    "KerasHub": Program("keras_hub", "keras_hub_backbone.py"),
    "KerasHub, XLA": Program("keras_hub", "keras_hub_backbone.py", ("--jit",)),
    "Model Garden": Program("model_garden", "model_garden.py"),
}
WITHOUT_PADDING = {SKIP_PADDING: Program(None, "saved_model.py", ("{encoder_skip_padding}",))}
REDUCED = {"albert_tf, bfloat16": Program(None, "saved_model.py", ("{encoder_bfloat16}",))}
REDUCED_WITHOUT_PADDING = {
    f"{SKIP_PADDING}, bfloat16": Program(
        None, "saved_model.py", ("{encoder_skip_padding_bfloat16}",)
    )
}
PREPROCESSORS = {
    OURS: Program(None, "preprocessor.py", ("{preprocessor}",)),
    "Hugging Face, Rust": Program("torch", "hugging_face_tokenizer.py", ("{sp_model}",)),
    "SentencePiece, C++": Program("torch", "sentencepiece_ids.py", ("{sp_model}",)),
}
SENTENCES = "fine-tuning on sentences"  # The trainers' task in which ours skips padding.
TRAINERS = {
    OURS: Program(None, "train_albert_tf.py"),
    PYTORCH: Program("torch", "train_torch.py"),
    "KerasHub": Program("keras_hub", "train_keras_hub.py"),
    "Model Garden": Program("model_garden", "train_model_garden.py"),
}
REDUCED_TRAINERS = {"albert_tf, bfloat16": Program(None, "train_albert_tf.py", ("--bfloat16",))}
PREDICTOR = "albert_tf.Predictor"
PIPELINES = {
    "transformers, pipeline": Program("torch", "embed_pipeline.py", ("{hugging_face}", "1")),
    "transformers, pipeline, batch_size=32": Program(
        "torch", "embed_pipeline.py", ("{hugging_face}", "32")
    ),
}
REDUCED_EMBEDDERS = {
    f"{PREDICTOR}, bfloat16": Program(None, "embed_albert_tf.py", ("{hugging_face}", "--bfloat16"))
}
EMBEDDERS = {
    PREDICTOR: Program(None, "embed_albert_tf.py", ("{hugging_face}",)),
    "albert-tf embed": Program(None, "embed_albert_tf.py", ("{hugging_face}", "--job")),
    "sentence-transformers": Program(
        "torch", "embed_sentence_transformers.py", ("{hugging_face}", "16")
    ),
    **PIPELINES,
    **REDUCED_EMBEDDERS,
}
XXLARGE = {"albert_tf, xxlarge": Program(None, "saved_model.py", ("{encoder_xxlarge}",))}
MATRIX_PRODUCT = Program(None, "matrix_product.py")
TENSORFLOW = "TensorFlow, without a model"

ALL = {**ENCODERS, **WITHOUT_PADDING, **REDUCED, **XXLARGE}


def tflite(batch, length):
    """The programs that run our TensorFlow Lite files, each for one shape of its inputs."""
    return {
        f"albert_tf, TensorFlow Lite, {weights}": Program(
            "litert", "tflite_model.py", (f"{{tflite_{weights}_{batch}x{length}}}",)
        )
        for weights in ("float32", "int8")
    }


class Launcher:
    """Starts programs, after making their environments and files where they are missing.

    Args:
      environments_directory: Folder of the virtual environments.
      files_directory: Folder of the exported models. What is there is taken as it is.
      sp_model: Path of the SentencePiece model with 30000 pieces.
      timeout: Seconds that a program may take for one answer.
    """

    def __init__(self, environments_directory, files_directory, sp_model, timeout=600):
        self._environments = environments_directory
        self._files = pathlib.Path(files_directory)
        self._files.mkdir(parents=True, exist_ok=True)
        self._sp_model = sp_model
        self._timeout = timeout
        self._pythons = {}

    def prepare(self, programs):
        """Makes all that the programs need, before anything is measured. Failures show later."""
        for program in programs.values():
            try:
                self._command(program)
            except NotMeasured:
                pass

    def start(self, program, *arguments):
        """The `Worker` of a `Program`. Raises `NotMeasured` where it cannot be installed."""
        python, own = self._command(program)
        return Worker(python, program.script, [*own, *arguments], self._timeout)

    def versions(self):
        """{environment: {package: version}} of what was started so far."""
        return {
            name or OURS: environments.versions(python) for name, python in self._pythons.items()
        }

    def file(self, name):
        """The path of a file of the programs, which is made first if it is not there."""
        if name == "sp_model":
            return self._sp_model
        path = self._files / name
        if not path.exists():
            print(f"writing {path}", flush=True)
            environment, script = None, [str(PEERS / "export.py"), name, str(path), self._sp_model]
            if name == "onnx":
                environment, script = "torch", [str(PEERS / "torch_model.py"), f"--export={path}"]
            command = [self._python(environment), *script]
            process = subprocess.run(command, capture_output=True, text=True)
            if process.returncode:
                raise NotMeasured(f"export: {process.stderr.strip().splitlines()[-1][:300]}")
        return str(path)

    def _command(self, program):
        python = self._python(program.environment)
        arguments = [
            self.file(argument[1:-1]) if argument.startswith("{") else argument
            for argument in program.arguments
        ]
        return python, arguments

    def _python(self, environment):
        if environment not in self._pythons:
            try:
                python = environments.python_of(environment, self._environments)
            except NotInstalled as error:
                raise NotMeasured(str(error)) from error
            self._pythons[environment] = python
        return self._pythons[environment]
