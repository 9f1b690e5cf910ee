import collections
import io
import os
import pickle
import struct

import pytest

from albert_tf.checkpoints.files.plain_pickle import Name, read_plain_pickle


def read(content, names=(), functions=None, persistent=None):
    return read_plain_pickle(io.BytesIO(content), names, functions or {}, persistent)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data(protocol):
    shared = [1, 2]
    value = {
        "a": (1, -2.5, None, True, False, "text", 2**70),
        "b": [shared, shared, (), [], {}, (1, 2), (1, 2, 3, 4)],
        300: {"nested": {"x": 70000}},
    }
    result = read(pickle.dumps(value, protocol))
    assert result == value
    assert result["b"][0] is result["b"][1]


def test_functions_and_names():
    content = pickle.dumps(collections.OrderedDict(a=collections.OrderedDict), 2)
    functions = {"collections OrderedDict": lambda *arguments: dict(*arguments)}
    result = read(content, functions=functions)
    assert list(result) == ["a"]
    assert isinstance(result["a"], Name) and result["a"].name == "collections OrderedDict"


def test_reads_one_pickle_of_several():
    file = io.BytesIO(pickle.dumps(1, 2) + pickle.dumps("two", 2))
    assert [read_plain_pickle(file, (), {}) for _ in range(2)] == [1, "two"]


class Malicious:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "function, named",
    [(os.system, "system"), (eval, "eval"), (exec, "exec"), (__import__, "__import__")],
)
def test_nothing_is_executed(tmp_path, function, named, protocol):
    target = tmp_path / "executed"
    content = pickle.dumps(
        {"weights": Malicious(function, f"open({str(target)!r}, 'w')")}, protocol
    )
    with pytest.raises(ValueError, match=f"it names '.* {named}'"):
        read(content, functions={"collections OrderedDict": dict})
    assert not target.exists()


def test_what_may_be_named_may_not_be_called():
    content = b"\x80\x02ctorch\nFloatStorage\n)R."
    with pytest.raises(ValueError, match="it calls 'torch FloatStorage'"):
        read(content, names=["torch FloatStorage"])
    with pytest.raises(ValueError, match="it calls 'str'"):
        read(b"\x80\x02X\x02\x00\x00\x00os)R.")


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "cannot be read"),
        (b"\x80\x02}", "cannot be read"),
        (b"\x80\x02}q\x00X\x05\x00\x00", "cannot be read"),
        (b"\xff\xff.", "cannot be read"),
        (b"\x80\x02.", "cannot be read"),  # Nothing to return.
        (b"\x80\x02NN.", "cannot be read"),  # Two things.
        (b"\x80\x02u.", "cannot be read"),  # Items without a mark.
        (b"\x80\x02h\x05.", "cannot be read"),  # A memo that was never written.
        (b"\x80\x02}(K\x01u.", "cannot be read"),  # A key without a value.
        (b"\x80\x02]K\x01K\x02s.", "cannot be read"),  # Items of a list.
        (b"\x80\x02)}NN\x86b.", "cannot be read"),  # State of a tuple.
        (b"\x80\x02})K\x01s.", "keys that are neither"),
        (b"(ios\nsystem\n.", "the instruction INST"),
        (b"\x80\x02(cos\nsystem\no.", "it names 'os system'"),
        (b"\x80\x02Q.", "the instruction BINPERSID"),
        (b"\x80\x02\x82\x01.", "the instruction EXT1"),
        (b"\x80\x05\x96" + struct.pack("<Q", 2**60) + b".", "cannot be read"),  # A huge bytearray.
        (b"\x80\x02N\x8d" + struct.pack("<Q", 2**60) + b".", "cannot be read"),  # A huge text.
    ],
)
def test_nonsense(content, message):
    with pytest.raises(ValueError, match=message):
        read(content)


def test_a_memo_of_a_huge_index_needs_no_memory():
    assert read(b"\x80\x02Nr\xff\xff\xff\x7f.") is None
