import errno
import gzip
import io
import lzma
import os
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import pytest

from albert_tf.checkpoints.files import archives
from albert_tf.checkpoints.files.archives import is_archive, unpack
from albert_tf.checkpoints.read import read
from albert_tf.encoder import AlbertEncoder
from tests.conftest import GOLDENS

TINY = GOLDENS / "tiny"


def tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                archive.addfile(info)
    return path


MODES = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


@pytest.mark.parametrize("ending", [*MODES, "zip"])
def test_checkpoint_in_an_archive(tmp_path, ending):
    path = tmp_path / f"tiny.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in TINY.iterdir():
                archive.write(file, f"tiny/{file.name}")
    else:
        with tarfile.open(path, MODES[ending]) as archive:
            archive.add(TINY, "tiny")
    encoder = AlbertEncoder.from_checkpoint(path)
    assert len(encoder.restore_report.restored) == 25
    assert encoder.restore_report.path.startswith(str(unpack(path)))  # Unpacked once.


def test_archive_without_a_folder(tmp_path):
    path = tar(tmp_path / "x.tar.gz", {"./a/b": b"1", "./c": b"2"})
    directory = unpack(path)
    assert sorted(str(p.relative_to(directory)) for p in directory.rglob("*")) == ["a", "a/b", "c"]


def test_what_is_an_archive(tmp_path):
    for name in ("a.tar.gz", "A.TGZ", "a.zip"):
        (tmp_path / name).write_bytes(b"")
        assert is_archive(tmp_path / name)
    (tmp_path / "a.keras").write_bytes(b"")
    assert not is_archive(tmp_path / "a.keras")
    assert not is_archive(tmp_path)


HARMFUL = {
    "parent": {"a/../../evil": b"x"},
    "absolute": {"/tmp/evil": b"x"},
    "symbolic link": {"a": (tarfile.SYMTYPE, "/etc"), "a/evil": b"x"},
    "hard link": {"a": (tarfile.LNKTYPE, "/etc/passwd")},
    "device": {"a": (tarfile.CHRTYPE, "")},
    "pipe": {"a": (tarfile.FIFOTYPE, "")},
    "backslashes": {"..\\evil": b"x"},
    "drive": {"C:/evil": b"x"},
    "two slashes": {"//tmp/evil": b"x"},
    "depth": {"d/" * 1000 + "x": b"x"},
}


@pytest.mark.parametrize("members", HARMFUL.values(), ids=HARMFUL)
def test_harmful_tar(tmp_path, monkeypatch, members):
    inside = tmp_path / "temporary" / "deeper"
    inside.mkdir(parents=True)
    monkeypatch.setattr(archives.tempfile, "tempdir", str(inside))
    path = tar(tmp_path / "x.tar.gz", members)
    with pytest.raises(ValueError, match="plain files below its own directory.* Received: .*x.tar"):
        read(path)
    assert [name for _, _, files in os.walk(tmp_path) for name in files] == ["x.tar.gz"]
    assert not any(inside.iterdir())


def test_absolute_names_with_two_slashes_write_nothing(tmp_path):
    for ending in ("tar.gz", "zip"):
        target, path = tmp_path / "target" / "written", tmp_path / f"x.{ending}"
        if ending == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("/" + str(target), "x")
        else:
            tar(path, {"/" + str(target): b"x"})
        with pytest.raises(ValueError, match="a path that leads out of it"):
            unpack(path)
        assert not target.parent.exists()


@pytest.mark.parametrize("name, mode", [("../evil", 0o100644), ("a", 0o120777)])
def test_harmful_zip(tmp_path, name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ValueError, match="plain files below its own directory"):
        read(tmp_path / "x.zip")
    assert not (tmp_path.parent / "evil").exists()


@pytest.mark.parametrize("ending", ["tar.gz", "zip"])
def test_bombs(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    path = tmp_path / f"x.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", bytes(4 << 20))
    else:
        tar(path, {"a": bytes(4 << 20)})
    assert path.stat().st_size < 10_000
    with pytest.raises(ValueError, match="with more than 1048576 bytes"):
        read(path)
    monkeypatch.setattr(archives, "MOST_BYTES", 8 << 30)
    monkeypatch.setattr(archives, "_ALWAYS_ALLOWED_BYTES", 2 << 20)
    with pytest.raises(ValueError, match="with more than 2097152 bytes"):
        read(path)  # A hundred times its size.
    monkeypatch.setattr(archives, "MOST_FILES", 3)
    with pytest.raises(ValueError, match="with more than 3 files"):
        read(tar(tmp_path / "y.tar.gz", {str(i): b"" for i in range(5)}))


@pytest.mark.parametrize("name", ["x.tar.gz", "x.zip"])
def test_damaged(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="An archive must be readable. Received: "):
        read(path)
    good = tar(tmp_path / "good.tar.gz", {"a": os.urandom(100_000)}).read_bytes()
    (tmp_path / "x.tar.gz").write_bytes(good[:50_000])
    with pytest.raises(ValueError, match="An archive must be readable"):
        read(tmp_path / "x.tar.gz")


# === Everything that can be checked is ===


@pytest.mark.parametrize("ending", [*MODES, "zip"])
def test_flipped_bits(tmp_path, ending):
    content, path = os.urandom(20_000), tmp_path / f"x.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("m/a", content)
    else:
        tar(path, {"m/a": content}, MODES[ending])
    good = path.read_bytes()
    for place in range(4000, 16_000, 1000):
        bad = bytearray(good)
        bad[place] ^= 1
        path.write_bytes(bad)
        if ending == "tar":  # Has checksums of its headers only.
            assert (unpack(path) / "a").read_bytes() != content
        else:
            with pytest.raises(ValueError, match="An archive must be readable"):
                unpack(path)


def test_a_damaged_header_is_no_end(tmp_path):
    path = tar(tmp_path / "x.tar", {"a": b"1", "b": b"2", "c": b"3"}, "w")
    good = path.read_bytes()
    path.write_bytes(good[:1024] + b"B" + good[1025:])  # The second member's name.
    with pytest.raises(ValueError, match="its end is missing, or a header is damaged"):
        unpack(path)
    path.write_bytes(good[:2048])  # Two members of three.
    with pytest.raises(ValueError, match="its end is missing"):
        unpack(path)
    path.write_bytes(good + good)
    with pytest.raises(ValueError, match="something comes after its end"):
        unpack(path)


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("from_zip", "x")
    path = tar(tmp_path / "x.tar", {"m/model.keras": inner.getvalue()}, "w")
    assert [file.name for file in unpack(path).iterdir()] == ["model.keras"]


def patched_zip(path, local, central, value):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/config.json", b"{}" * 100)
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        start = data.find(signature) + offset
        data[start : start + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "local, central, value", [(6, 8, 1), (8, 10, 99), (8, 10, 14), (8, 10, 12)]
)
def test_encrypted_and_rare_zips(tmp_path, local, central, value):
    path = patched_zip(tmp_path / "x.zip", local, central, struct.pack("<H", value))
    with pytest.raises(ValueError, match="'m/config.json', encrypted or compressed in a rare way"):
        unpack(path)


def test_a_zip_of_many_members(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
    data = path.read_bytes()
    start, end = data.find(b"PK\x01\x02"), data.find(b"PK\x05\x06")
    directory = data[start:end] * 30_000
    tail = bytearray(data[end:])
    tail[12:16] = struct.pack("<I", len(directory))
    path.write_bytes(data[:start] + directory + tail)
    with pytest.raises(ValueError, match="a directory of too many members"):
        unpack(path)


def tar_header(kind, size):
    header = bytearray(512)
    header[:13] = b"././@LongLink"
    header[100:108], header[108:124] = b"0000644\0", b"0000000\0" * 2
    header[124:136], header[136:148] = b"%011o\0" % size, b"00000000000\0"
    header[156:157], header[257:265] = kind, b"ustar  \0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_headers_of_any_size_take_no_memory(tmp_path, kind):
    path = tmp_path / "x.tar.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(tar_header(kind, 100 << 20))
        for _ in range(100):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(ValueError, match="a header of more than 65536 bytes"):
        unpack(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_many_headers_before_a_member(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes((tar_header(b"L", 1) + b"a".ljust(512, b"\0")) * 5000)
    with pytest.raises(ValueError, match="An archive must be readable"):
        unpack(path)


def test_xz_that_wants_much_memory_or_goes_on(tmp_path):
    path = tmp_path / "x.tar.xz"
    content = tar(tmp_path / "x.tar", {"a": b"x"}, "w").read_bytes()
    small = lzma.compress(content)
    # The block header says the size of the dictionary; making one of 1 GiB would take that memory.
    start = 12
    size = 4 * (small[start] + 1)
    header = bytearray(small[start : start + size - 4])
    header[4] = 36  # 1 GiB
    patched = small[:start] + header + struct.pack("<I", zlib.crc32(header)) + small[start + size :]
    path.write_bytes(patched)
    with pytest.raises(ValueError, match="An archive must be readable.*LZMAError"):
        unpack(path)
    path.write_bytes(small + small)
    with pytest.raises(ValueError, match="a second stream follows"):
        unpack(path)
    path.write_bytes(small[:-30])
    with pytest.raises(ValueError, match="An archive must be readable"):
        unpack(path)


def test_no_room(tmp_path, monkeypatch):
    path = tar(tmp_path / "x.tar", {"a": b"x"}, "w")

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives, "_write_members", full)
    with pytest.raises(OSError, match="needs room.* Set TMPDIR"):
        unpack(path)
