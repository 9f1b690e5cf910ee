"""Every program and command of every page in docs/ runs, and prints what the page says.

In a page, a fence ```python is a program, complete by itself, and ```bash has commands of
`albert-tf`; both run in the page's order, in a folder of the page's own. A command that ends with &
is a server, until the page ends; `curl [-d BODY] URL` asks it. ```text title="Output" after it is
what it prints, `...` for any text. Another fence whose title is a file's name is
written as that file. What is only shown is in fences ```py and ```shell. A fence with
`.tf_keras` runs in Keras 2, all others in Keras 3.
"""

import contextlib
import doctest
import multiprocessing
import pathlib
import re
import shlex
import socket
import time
import urllib.error
import urllib.request

import pytest

import albert_tf
from albert_tf._keras import KERAS_3

ROOT = pathlib.Path(__file__).parent.parent
DOCS = ROOT / "docs"
FENCE = re.compile(r"^( *)```(.*)\n((?s:.*?))^\1```$", re.M)
FILE = re.compile(r'title="([\w./-]+\.[\w.]+)"')
# They train and export, which takes minutes: `.ci/run` runs them.
SLOW = {
    "data",
    "finetuning",
    "pretraining",
    "question-answering",
    "reproducibility",
    "several-labels",
    "tagging",
}


def blocks(text):
    """(language and attributes, text) of each fence."""
    for indent, info, body in FENCE.findall(text):
        yield info, re.sub(rf"^{indent}", "", body, flags=re.M)


def steps(text):
    """(language, text, the output that the page shows or None) of all that runs or is written."""
    found = []
    for info, body in blocks(text):
        language = re.match(r"(?:\{ *\.)?(\w*)", info.strip())[1]
        if info.startswith('text title="Output"'):
            found[-1][2] = body
        elif name := FILE.search(info):
            found.append([name[1], body, None])
        elif language == "bash":
            for command in body.replace("\\\n", " ").splitlines():
                found.append(["bash", command, None])
        elif language == "python" and (".tf_keras" not in info) == KERAS_3:
            found.append(["python", body, None])
        elif language == "python":
            found.append(["other Keras", "", None])  # It takes the output that follows.
    return found if KERAS_3 or ["python"] in [step[:1] for step in found] else []


def run(language, text, folder):
    """What a program or a command prints; fails if it does."""
    if text.startswith("curl "):
        return curl(*shlex.split(text)[1:])
    output = folder.parent / "output"
    process = process_of(language, text, folder, output)
    process.join()
    printed = output.read_text(encoding="utf-8")
    assert process.exitcode == 0, f"{text}\n\n{printed}"
    return printed


@contextlib.contextmanager
def serving(text, folder):
    """Runs a server until the block ends; the block begins when it is ready."""
    output = folder.parent / "server"
    process = process_of("bash", text.rstrip("& "), folder, output)
    try:
        while not output.exists() or "Serving at" not in output.read_text():
            assert process.exitcode is None, output.read_text()
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.join()


def process_of(language, text, folder, output):
    """Starts a program or a command; `output` is the file of what it prints."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.guide_block"])
    process = context.Process(target=start, args=(language, text, str(folder), str(output)))
    process.start()
    return process


def curl(*arguments):
    """What `curl [-d BODY] URL` prints, errors included."""
    *body, url = arguments
    assert body[:-1] in ([], ["-d"]), arguments
    try:
        with urllib.request.urlopen(url, body[1].encode() if body else None) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def start(*arguments):
    from tests.guide_block import run_block

    run_block(*arguments)


def same(shown, printed):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(shown, printed, flags)


def page_parameters():
    for path in sorted(DOCS.rglob("*.md")):
        name = path.relative_to(DOCS).with_suffix("").as_posix()
        if any(language in ("python", "bash") for language, *_ in steps(path.read_text())):
            yield pytest.param(path, id=name, marks=[pytest.mark.slow] if name in SLOW else [])


@pytest.mark.parametrize("path", list(page_parameters()))
def test_page(path, tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    page = path.read_text(encoding="utf-8").replace(":8501", f":{(port := free_port())}")
    with contextlib.ExitStack() as servers:
        for language, text, shown in steps(page.replace("--port=8501", f"--port={port}")):
            if language == "bash" and text.endswith("&"):
                servers.enter_context(serving(text, folder))
            elif language in ("python", "bash"):
                printed = run(language, text, folder)
                if shown is not None:
                    assert same(shown, printed), (
                        f"{text}\nprinted:\n{printed}\non the page:\n{shown}"
                    )
            elif language != "other Keras":
                (folder / language).parent.mkdir(parents=True, exist_ok=True)
                (folder / language).write_text(text, encoding="utf-8")


def test_every_public_name_is_in_the_reference():
    pages = (DOCS / "reference").glob("*.md")
    names = [n for p in pages for n in re.findall(r"^::: albert_tf\.(\w+)$", p.read_text(), re.M)]
    assert sorted(names) == sorted(albert_tf.__all__)


def test_every_page_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text()
    for path in DOCS.rglob("*.md"):
        assert f" {path.relative_to(DOCS).as_posix()}\n" in nav
