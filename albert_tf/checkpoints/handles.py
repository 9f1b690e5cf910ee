"""Checkpoints by name: the package's own, and published ones, fetched by their host's own client.

The clients keep a cache, show their progress and check what they receive. This module only chooses
one; without one, and without a network, everything else works on local paths.
"""

import difflib
import os
import re

from albert_tf import albert_tiny_en
from albert_tf.config import PRESETS

# Name -> directory. A file or directory of this name in the working directory goes first.
PACKAGED = {"albert_tiny_en": albert_tiny_en.CHECKPOINT}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_OWNER_NAME = re.compile(r"[\w.-]+/[\w.-]+")
# Repositories hold the same weights several times. What is read first, and the rest of what can be.
_FIRST = ["*.json", "*.safetensors", "*.weights.h5", "*.model", "*.spm", "*.txt", "assets/**"]
_SECOND = ["*.bin", "*.h5", "*.keras", "*.pb", "*.index", "*.data-*", "checkpoint", "variables/**"]

SUPPORTED = (
    "albert_tiny_en; hf://OWNER/NAME (and perhaps @REVISION) or https://huggingface.co/OWNER/NAME; "
    "kaggle://OWNER/MODEL/FRAMEWORK/VARIATION or https://www.kaggle.com/models/...; "
    "https://tfhub.dev/..."
)


def is_handle(path):
    """Whether this is a handle and not a local path."""
    if not isinstance(path, str):
        return False
    return bool(_SCHEME.match(path)) or (path in PACKAGED and not os.path.exists(path))


def resolve(handle):
    """The local directory that a handle's checkpoint is in, downloaded if it is not yet.

    Args:
      handle: See `SUPPORTED`.

    Returns:
      The path as a string.

    Raises:
      ValueError: The handle is of no known form.
      ImportError: The host's client is not installed.
      OSError: The client could not fetch it.

    Example:

    >>> import os
    >>> from albert_tf.checkpoints.handles import resolve
    >>> "model.safetensors" in os.listdir(resolve("albert_tiny_en"))
    True
    """
    if handle in PACKAGED:
        return PACKAGED[handle]
    if re.match(r"http://", handle, re.IGNORECASE):
        raise ValueError(
            "A handle that is a URL must begin with https://: over http:// anyone on the way can "
            f"exchange the files. Received: {handle!r}. Write 'https://{handle[7:]}'."
        )
    if match := re.match(r"(hf://|https://(www\.)?huggingface\.co/)(.+)", handle):
        return _hugging_face(handle, match[3].rstrip("/"))
    if match := re.match(r"(kaggle://|https://(www\.)?kaggle\.com/models/)(.+)", handle):
        return _kaggle(handle, match[3].rstrip("/"))
    if re.match(r"https://tfhub\.dev/", handle):
        return _tf_hub(handle)
    raise ValueError(
        f"A handle must have a known form: {SUPPORTED}. Received: {handle!r}. Download other "
        "things yourself, and pass their path."
    )


def hint(path):
    """What a relative path that leads nowhere may have been meant for, in one sentence.

    Args:
      path: str.

    Returns:
      Text that begins with a space, or "".

    Example:

    >>> from albert_tf.checkpoints.handles import hint
    >>> hint("albert-tiny-en")
    " Perhaps meant: 'albert_tiny_en', which this package carries."
    """
    if os.path.isabs(path) or path.startswith(".") or len(path) > 200:
        return ""
    name = re.sub(r"^(hf:/*|(www\.)?huggingface\.co/)", "", path, flags=re.IGNORECASE).rstrip("/")
    words, meant = _squeezed(name.split("/")[-1]), []
    preset = _nearest(words, PRESETS, cutoff=0.9)
    if _OWNER_NAME.fullmatch(name) and not os.path.isdir(name.split("/")[0]):
        meant.append(f"'hf://{name}' of the Hugging Face Hub")
    elif preset and "/" not in name:
        meant.append(f"'hf://albert/{preset.replace('_', '-')}' of the Hugging Face Hub")
    if re.fullmatch(r"google/albert\w*/[123]", name):
        meant.append(f"'https://tfhub.dev/{name}'")
    if preset:
        meant.append(f"AlbertConfig.from_preset({preset!r}), which has no weights")
    if meant or _nearest(words, PACKAGED, cutoff=0.65):
        meant.append(f"{' or '.join(map(repr, PACKAGED))}, which this package carries")
    return f" Perhaps meant: {'; '.join(meant)}." if meant else ""


def _nearest(words, names, cutoff):
    squeezed = {_squeezed(name): name for name in names}
    close = difflib.get_close_matches(words, squeezed, n=1, cutoff=cutoff)
    return squeezed[close[0]] if close else None


def _squeezed(name):
    return re.sub(r"[\W_]", "", name.lower())


def _hugging_face(handle, name):
    name = re.sub(r"/tree/([^/]+)$", r"@\1", name)
    name, _, revision = name.partition("@")
    if not _OWNER_NAME.fullmatch(name):
        raise ValueError(
            f"A Hugging Face handle must be hf://OWNER/NAME. Received: {handle!r}, as in "
            "hf://albert/albert-base-v2."
        )
    try:
        import huggingface_hub
    except ImportError as error:
        raise _no_client(handle, "huggingface_hub", error) from error
    download = huggingface_hub.snapshot_download
    place = {"repo_id": name, "revision": revision or None}
    directory = _fetch(handle, download, **place, allow_patterns=_FIRST)
    if any(file.endswith((".safetensors", ".weights.h5")) for file in os.listdir(directory)):
        return directory
    return _fetch(handle, download, **place, allow_patterns=_FIRST + _SECOND)


def _kaggle(handle, name):
    # A page's address says what the other parts are.
    name = re.sub(r"/frameworks/([^/]+)/variations/", r"/\1/", name)
    name = re.sub(r"/versions/(\d+)$", r"/\1", name)
    if len(name.split("/")) not in (4, 5):
        raise ValueError(
            "A Kaggle handle must be kaggle://OWNER/MODEL/FRAMEWORK/VARIATION, and perhaps "
            f"/VERSION. Received: {handle!r}."
        )
    try:
        import kagglehub
    except ImportError as error:
        raise _no_client(handle, "kagglehub", error) from error
    return _fetch(handle, kagglehub.model_download, name)


def _tf_hub(handle):
    try:
        import tensorflow_hub
    except ImportError as error:
        raise _no_client(handle, "tensorflow-hub", error) from error
    return _fetch(handle, tensorflow_hub.resolve, handle)


def _fetch(handle, fetch, *args, **kwargs):
    try:
        return os.fspath(fetch(*args, **kwargs))
    except Exception as error:  # The clients' own, of many kinds; all mean that there is no file.
        lines = str(error).strip().splitlines()
        raise OSError(
            f"The checkpoint of a handle must be within reach. Received: {handle!r} "
            f"({type(error).__name__}: {lines[0] if lines else 'no reason given'}). Check the name "
            "and the network, or download it elsewhere and pass its path."
        ) from error


def _no_client(handle, package, error):
    return ImportError(
        f"A handle needs the client of its host. Received: {handle!r}, and {package} cannot be "
        f"imported ({error}). Run `pip install {package}`, or download the checkpoint and pass its "
        "path."
    )
