"""Every program and command of every page in docs/ runs, and prints what the page says.

In a page, a fence ```python is a program, complete by itself, and ```bash has commands of
`albert-tf`; both run in the page's order, in a folder of the page's own. ```text title="Output"
after it is what it prints, `...` for any text. Another fence whose title is a file's name is
written as that file. What is only shown is in fences ```py and ```shell. A fence with
`.tf_keras` runs in Keras 2, all others in Keras 3.
"""

import doctest
import multiprocessing
import pathlib
import re

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
    output = folder.parent / "output"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.guide_block"])
    process = context.Process(target=start, args=(language, text, str(folder), str(output)))
    process.start()
    process.join()
    printed = output.read_text(encoding="utf-8")
    assert process.exitcode == 0, f"{text}\n\n{printed}"
    return printed


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
    for language, text, shown in steps(path.read_text(encoding="utf-8")):
        if language in ("python", "bash"):
            printed = run(language, text, folder)
            if shown is not None:
                assert same(shown, printed), f"{text}\nprinted:\n{printed}\nthe page:\n{shown}"
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
