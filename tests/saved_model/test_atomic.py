import errno
import os
import pathlib
import stat

import pytest

from albert_tf.atomic import (
    new_directory,
    refuse_existing,
    remove_remains,
    replacing_directory,
    replacing_file,
    write_file,
)


def write(path, content, **options):
    with replacing_directory(path, written=("data",), **options) as directory:
        (directory / "data").write_text(content)


def test_new_directory(tmp_path):
    target = tmp_path / "new" / "out"
    write(target, "1")
    assert (target / "data").read_text() == "1"
    assert os.listdir(target.parent) == ["out"]
    readable = (tmp_path / "other").mkdir() or (tmp_path / "other").stat().st_mode
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(readable)  # Not a private mkdtemp.


def test_existing_target_is_refused_before_any_work(tmp_path):
    write(tmp_path / "out", "1")
    with pytest.raises(FileExistsError, match="must not exist yet.*Received: .*out.*--overwrite"):
        with replacing_directory(tmp_path / "out", written=("data",)):
            pytest.fail("the block ran")
    with pytest.raises(FileExistsError, match="must not exist yet"):
        refuse_existing(tmp_path / "out")
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize(
    "error", [ValueError, OSError(28, "No space left on device"), KeyboardInterrupt]
)
def test_failure_leaves_the_old_output_and_nothing_else(tmp_path, error):
    write(tmp_path / "out", "old")
    with pytest.raises(BaseException) as raised:
        with replacing_directory(tmp_path / "out", overwrite=True, written=("data",)) as directory:
            (directory / "data").write_text("half")
            assert (tmp_path / "out" / "data").read_text() == "old"
            raise error
    assert raised.type is (error if isinstance(error, type) else type(error))
    assert os.listdir(tmp_path) == ["out"] and (tmp_path / "out/data").read_text() == "old"


def test_overwrite_replaces_completely(tmp_path):
    write(tmp_path / "out", "old")
    write(tmp_path / "out", "new", overwrite=True)
    assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == ["data"]
    assert (tmp_path / "out/data").read_text() == "new"


def test_failing_last_step_brings_the_old_output_back(tmp_path, monkeypatch):
    write(tmp_path / "out", "old")
    rename = os.rename

    def failing(source, target):
        if str(source).endswith(".partial"):
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="no"):
        write(tmp_path / "out", "new", overwrite=True)
    assert os.listdir(tmp_path) == ["out"] and (tmp_path / "out/data").read_text() == "old"


def test_remains_of_a_killed_export_block_nothing(tmp_path):
    (tmp_path / ".out.0123abcd.partial").mkdir()
    write(tmp_path / "out", "1")
    write(tmp_path / "out", "2", overwrite=True)
    assert (tmp_path / "out/data").read_text() == "2"


def test_only_an_earlier_output_is_overwritten(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("")
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name in ("home", "file"):
        with pytest.raises(FileExistsError, match="Only an earlier output .* can be overwritten"):
            write(tmp_path / name, "1", overwrite=True)
    write(tmp_path / "empty", "1", overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["empty", "file", "home"]


def test_target_that_appears_meanwhile_is_kept(tmp_path):
    with pytest.raises(FileExistsError, match="must not exist yet"):
        with replacing_directory(tmp_path / "out", written=("data",)):
            write(tmp_path / "out", "other")
    assert os.listdir(tmp_path) == ["out"] and (tmp_path / "out/data").read_text() == "other"


def test_symbolic_link_stays_and_leads_to_the_new_output(tmp_path):
    write(tmp_path / "v1", "old")
    (tmp_path / "latest").symlink_to(tmp_path / "v1")
    write(tmp_path / "latest", "new", overwrite=True)
    assert (tmp_path / "latest").is_symlink() and (tmp_path / "v1/data").read_text() == "new"


@pytest.mark.parametrize("path", ["", "gs://bucket/model", pathlib.Path("gs://bucket/model")])
def test_no_local_path(path):
    with pytest.raises(ValueError, match="must be the path of a local directory. Received: "):
        refuse_existing(path)


def test_remains_of_killed_processes_are_removed_and_what_they_moved_comes_back(tmp_path):
    for name in (".out.0123abcd.partial", ".out.0123abcd.old", ".other.0123abcd.old", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_text(name)
    (tmp_path / ".file.0123abcd.partial").write_text("half")
    (tmp_path / ".config").write_text("the user's")
    remove_remains(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".config", "other", "out"]
    assert (tmp_path / "out/data").read_text() == ".out.0123abcd.old"
    assert (tmp_path / "other/data").read_text() == "other"


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_all_is_stored_before_it_has_its_name(tmp_path, monkeypatch, kind):
    events, fsync, rename, replace = [], os.fsync, os.rename, os.replace

    def stored(file):
        events.append(os.path.basename(os.readlink(f"/proc/self/fd/{file}")))
        fsync(file)

    monkeypatch.setattr(os, "fsync", stored)
    monkeypatch.setattr(os, "rename", lambda *a: events.append("named") or rename(*a))
    monkeypatch.setattr(os, "replace", lambda *a: events.append("named") or replace(*a))
    if kind == "file":
        write_file(tmp_path / "out", "é")
        assert (tmp_path / "out").read_text(encoding="utf-8") == "é"
    else:
        with new_directory(tmp_path / "out") as directory:
            (directory / "more").mkdir()
            (directory / "more" / "data").write_text("new")
        assert {"data", "more"} <= set(events[: events.index("named")])
    assert events[-1] == tmp_path.name and events[-2] == "named" and len(events) > 2


def test_a_full_disk_names_the_output_and_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="No space left on device: .*out"):
        with new_directory(tmp_path / "out") as directory:
            (directory / "data").write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(tmp_path) == []


# === A file ===

FILE = {"kind": "list", "identifier": b"LIST", "offset": 2}


def write_list(path, content, **options):
    with replacing_file(path, **FILE, **options) as file:
        file.write_bytes(content)


def test_new_file(tmp_path):
    write_list(tmp_path / "new" / "out", b"..LIST1")
    write_list(tmp_path / "new" / "out", b"..LIST2", overwrite=True)
    assert (tmp_path / "new" / "out").read_bytes() == b"..LIST2"
    assert os.listdir(tmp_path / "new") == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    write_list(tmp_path / "out", b"..LIST")
    with pytest.raises(error):
        with replacing_file(tmp_path / "out", overwrite=True, **FILE) as file:
            file.write_bytes(b"half")
            raise error
    assert os.listdir(tmp_path) == ["out"] and (tmp_path / "out").read_bytes() == b"..LIST"


def test_only_an_earlier_file_is_overwritten(tmp_path):
    (tmp_path / "thesis").write_bytes(b"LIST of works")
    (tmp_path / "directory").mkdir()
    for name in ("thesis", "directory"):
        with pytest.raises(FileExistsError, match=r"Only an earlier output \(a list\) can be over"):
            write_list(tmp_path / name, b"..LIST", overwrite=True)
        with pytest.raises(FileExistsError, match="must not exist yet"):
            write_list(tmp_path / name, b"..LIST")
    with pytest.raises(ValueError, match="must be the path of a local file. Received: 'gs://b/x'"):
        write_list("gs://b/x", b"..LIST")
    assert sorted(os.listdir(tmp_path)) == ["directory", "thesis"]
    assert (tmp_path / "thesis").read_bytes() == b"LIST of works"


def test_file_that_appears_meanwhile_is_kept(tmp_path):
    with pytest.raises(FileExistsError, match="must not exist yet"):
        with replacing_file(tmp_path / "out", **FILE) as file:
            file.write_bytes(b"..LIST")
            write_list(tmp_path / "out", b"..LIST of another")
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out").read_bytes() == b"..LIST of another"


def test_overwrite_replaces_nothing_else(tmp_path):
    write(tmp_path / "out", "old")
    (tmp_path / "out" / "notes.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="which also has notes.txt. Choose another path"):
        write(tmp_path / "out", "new", overwrite=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "precious"
    for inside in ("input", "deep/input"):
        with pytest.raises(ValueError, match="must neither be nor contain what it is made of"):
            write(tmp_path / "out", "new", overwrite=True, inputs=[tmp_path / "out" / inside])
