"""A C program on the C library in TensorFlow's wheel gets the answers that Python gets."""

import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3
from albert_tf.saved_model.contract.checklist import custom_ops
from tests.conftest import TESTS
from tests.foreign.inputs import batch
from tests.foreign.signatures import tensors
from tests.prediction.models import TEXTS

SOURCE = pathlib.Path(__file__).with_name("client.c")
TENSORFLOW = pathlib.Path(tf.sysconfig.get_lib())
LIBRARY = TENSORFLOW / "libtensorflow_cc.so.2"
# The op libraries of tensorflow-text that text-in models need, as docs/serving.md has them.
TEXT_OPS = {
    "_normalize_ops.so": ["NormalizeUTF8"],
    "_sentencepiece_tokenizer.so": ["SentencepieceOp", "SentencepieceTokenizeOp"],
}
SPAN_OPS = {"_regex_split_ops.so": ["RegexSplitWithOffsets"]}
DTYPES = {"float32": np.float32, "int32": np.int32, "string": str}

pytestmark = [
    pytest.mark.skipif(not KERAS_3, reason="SavedModels hold no Keras objects: once is enough"),
    pytest.mark.skipif(not shutil.which("gcc"), reason="there is no gcc"),
    pytest.mark.skipif(not LIBRARY.exists(), reason=f"TensorFlow has no {LIBRARY.name} here"),
]


@pytest.fixture(scope="module")
def client(made_once):
    """Function from commands, see client.c, to the arrays that the program prints."""

    def build(path):
        client, stub = f"{path}.o", f"{path}.so"
        flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-I", tf.sysconfig.get_include()]
        gcc(*flags, "-c", SOURCE, "-o", client)
        # The linker would read all of the library's 1.1 GB; of this one it reads names.
        needed = subprocess.run(["nm", "-u", client], capture_output=True, text=True, check=True)
        functions = [line.split()[-1] for line in needed.stdout.splitlines() if " TF_" in line]
        pathlib.Path(f"{path}.c").write_text("".join(f"void {f}(void) {{}}\n" for f in functions))
        gcc("-shared", f"-Wl,-soname,{LIBRARY.name}", f"{path}.c", "-o", stub)
        gcc(client, stub, f"-Wl,-rpath,{TENSORFLOW}", "-o", path)

    program = made_once("c_client", build)

    def ask(commands):
        process = subprocess.run(
            [program],
            input="".join(f"{command}\n" for command in commands),
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        return arrays(process.stdout)

    return ask


def gcc(*arguments):
    subprocess.run(["gcc", *map(str, arguments)], check=True)


def arrays(printed):
    lines = iter(printed.splitlines())
    found = []
    for dtype, *shape in map(str.split, lines):
        shape = [int(size) for size in shape]
        values = [next(lines) for _ in range(int(np.prod(shape)))]
        found.append(np.array(values, DTYPES[dtype]).reshape(shape))
    return found


def outputs_of(path, name="serving_default"):
    _, outputs = tensors(path, name)
    return [f"output {operation} {index}" for operation, index in outputs.values()]


def ids_of(path, inputs, name="serving_default"):
    operations, _ = tensors(path, name)
    for key, x in inputs.items():
        values = " ".join(map(str, x.ravel()))
        yield f"ids {operations[key][0]} {x.shape[0]} {x.shape[1]} {values}"


def same(received, expected):
    """Whether arrays are a signature's outputs, in the order of their keys."""
    assert len(received) == len(expected)
    for array, (_, right) in zip(received, sorted(expected.items())):
        assert array.shape == right.shape
        if right.dtype == tf.string:
            assert array.tolist() == np.char.decode(right.numpy().astype("S"), "utf-8").tolist()
        else:
            np.testing.assert_allclose(array, right, rtol=1e-5, atol=1e-5)


def test_encoder_and_text_in_models(client, exported_encoder, model_of):
    """One process: the library alone takes longer to load than all that it computes."""
    import tensorflow_text

    ops = pathlib.Path(tensorflow_text.__file__).parent / "python" / "ops"
    batches = [batch(1, 5), batch(4, 9)]
    commands = [f"model {exported_encoder}"]
    for inputs in batches:
        commands += [*ids_of(exported_encoder, inputs), *outputs_of(exported_encoder), "run"]
    commands += [f"library {ops / name}" for name in TEXT_OPS]
    kinds = ["classifier", "embedding"]
    for path in map(model_of, kinds):
        ((text, _),) = tensors(path)[0].values()
        commands += [f"model {path}", f"texts {text} {len(TEXTS)}", *TEXTS]
        commands += [*outputs_of(path), "run"]
    path = model_of("classifier")
    commands += [f"model {path}", *ids_of(path, batches[1], "ids"), *outputs_of(path, "ids"), "run"]
    received = client(commands)

    encoder = tf.saved_model.load(exported_encoder).signatures["serving_default"]
    models = {kind: tf.saved_model.load(model_of(kind)).signatures for kind in kinds}
    answers = [encoder(**{k: tf.constant(x) for k, x in inputs.items()}) for inputs in batches]
    answers += [models[kind]["serving_default"](text=tf.constant(TEXTS)) for kind in kinds]
    answers += [models["classifier"]["ids"](**{k: tf.constant(x) for k, x in batches[1].items()})]
    for expected in answers:
        same(received[: len(expected)], expected)
        received = received[len(expected) :]
    assert not received


@pytest.mark.parametrize(
    "kind, libraries", [("classifier", TEXT_OPS), ("span-labeler", TEXT_OPS | SPAN_OPS)]
)
def test_op_libraries_on_the_page(model_of, kind, libraries):
    assert custom_ops(model_of(kind)) == sorted(op for ops in libraries.values() for op in ops)
    page = (TESTS.parent / "docs" / "serving.md").read_text()
    for library, ops in libraries.items():
        assert f"| `{library}` | {', '.join(f'`{op}`' for op in ops)} |" in page


def test_a_text_in_model_without_its_op_libraries(client, model_of):
    with pytest.raises(AssertionError, match="Op type not registered 'SentencepieceOp'"):
        client([f"model {model_of('classifier')}"])
