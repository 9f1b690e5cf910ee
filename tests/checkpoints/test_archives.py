import io
import os
import tarfile
import zipfile

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


@pytest.mark.parametrize("ending", ["tar.gz", "tgz", "tar", "zip"])
def test_checkpoint_in_an_archive(tmp_path, ending):
    path = tmp_path / f"tiny.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in TINY.iterdir():
                archive.write(file, f"tiny/{file.name}")
    else:
        with tarfile.open(path, "w" if ending == "tar" else "w:gz") as archive:
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
