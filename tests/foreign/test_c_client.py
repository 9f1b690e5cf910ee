"""A C program on the C library in TensorFlow's wheel gets the answers that Python gets."""

import os
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
        # Its 1.1 GB are named when the program starts: the linker would read them all.
        includes = ["-I", tf.sysconfig.get_include(), "-Wl,--unresolved-symbols=ignore-all"]
        flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", *includes]
        subprocess.run(["gcc", *flags, str(SOURCE), "-o", path], check=True)

    program = made_once("c_client", build)

    def ask(commands):
        process = subprocess.run(
            [program],
            input="".join(f"{command}\n" for command in commands),
            env={**os.environ, "LD_PRELOAD": str(LIBRARY)},
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        return arrays(process.stdout)

    return ask


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


def test_op_libraries_on_the_page(model_of):
    for kind in ("classifier", "span-labeler", "multiple-choice", "fill-mask"):
        assert custom_ops(model_of(kind)) == [op for ops in TEXT_OPS.values() for op in ops]
    page = (TESTS.parent / "docs" / "serving.md").read_text()
    for library, ops in TEXT_OPS.items():
        assert f"| `{library}` | {', '.join(f'`{op}`' for op in ops)} |" in page


def test_a_text_in_model_without_its_op_libraries(client, model_of):
    with pytest.raises(AssertionError, match="Op type not registered 'SentencepieceOp'"):
        client([f"model {model_of('classifier')}"])
