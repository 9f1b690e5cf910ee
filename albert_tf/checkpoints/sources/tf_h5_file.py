"""Reads tf_model.h5, which Hugging Face's TensorFlow classes saved, under the PyTorch names."""

import re

import numpy as np

from albert_tf.checkpoints.checkpoint import StoredTensor, TensorSpec
from albert_tf.checkpoints.files.hdf5 import open_datasets
from albert_tf.checkpoints.files.mapped_file import check_is_content
from albert_tf.messages import brief

# What TensorFlow's masked LM head saves but does not use: it adds `decoder/bias`.
UNUSED_BIAS = "predictions.bias (unused)"

# TensorFlow's last part of a name -> PyTorch's, and whether the matrix is transposed there.
_LEAVES = {
    "kernel": ("weight", True),
    "bias": ("bias", False),
    "gamma": ("weight", False),
    "beta": ("bias", False),
    "embeddings": ("weight", False),
    "weight": ("weight", False),
}


def open_tf_h5(path):
    """Lists and checks a file's datasets; none is read yet but those that are stored twice.

    Names and layouts are those of `model.safetensors`: "albert.pooler.weight" as [output, input].
    A dataset that is stored below several layers, as tied embeddings are, appears once.

    Args:
      path: pathlib.Path of a file such as tf_model.h5.

    Returns:
      {name: StoredTensor}.

    Raises:
      FileNotFoundError: There is no such file.
      ValueError: It is damaged, refers to other files, is compressed, or holds two different values
        of one variable.
    """
    check_is_content(path)
    try:
        return _open(path)
    except (OSError, RuntimeError, TypeError, KeyError, UnicodeError) as error:
        # What h5py and HDF5 raise for damaged files depends on the place of the damage.
        raise _unfit(path, f"content that cannot be read ({error})") from error


def _open(path):
    datasets, _, get = open_datasets(path, str(path))
    tensors, sources = {}, {}
    for source, spec in datasets.items():
        name, tensor = _stored(path, source, spec, get)
        if name in tensors and not np.array_equal(get(sources[name]), get(source)):
            raise _unfit(path, f"different values of {brief(name)}")
        tensors[name], sources[name] = tensor, source
    if "predictions.decoder.bias" in tensors:
        tensors[UNUSED_BIAS] = tensors.pop("predictions.bias")
        tensors["predictions.bias"] = tensors.pop("predictions.decoder.bias")
    return tensors


def _stored(path, source, spec, get):
    # "<layer>/tf_albert_for_masked_lm_1/albert/pooler/kernel:0": the layer, the model, the name.
    name = re.sub(r"^[^/]+/(tf_albert_[^/]+/)?", "", source).removesuffix(":0")
    stem, _, leaf = name.replace("_._", "/").replace("/", ".").rpartition(".")
    if leaf not in _LEAVES:
        raise _unfit(path, f"{brief(source)}, which is no variable of ALBERT's layers")
    torch_leaf, transposed = _LEAVES[leaf]
    if not transposed:
        return f"{stem}.{torch_leaf}", StoredTensor(spec, lambda: get(source))
    spec = TensorSpec(spec.shape[::-1], spec.dtype)
    return f"{stem}.{torch_leaf}", StoredTensor(spec, lambda: get(source).T)


def _unfit(path, what):
    return ValueError(
        "A tf_model.h5 must hold the weights of one of transformers' TFAlbert classes. Received: "
        f"{str(path)!r} with {what}. Save the model as model.safetensors, or download it again."
    )
