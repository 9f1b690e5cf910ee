"""Speed and memory beside what a user would pick instead; writes docs/performance.md.

    python -m benchmarks.performance --table=dense --sp_model=30k-clean.model

measures one table, or several with commas, and writes docs/performance/TABLE.json, its charts and
the page docs/performance.md, which shows all tables measured so far. --table= with nothing writes
the page and the charts anew, from the files that are there. The tables `padding`, `preprocessing`
and `training`, and the sentence of `latency`, need --sst2, the dev.tsv of GLUE's SST-2; `embedding`
takes its train.tsv. What takes too long for one run may be measured in several: --seconds ends a
run, --more adds its rounds to those that are there. Peers are installed by pip into environments of
their own, 8 GB in all; one that cannot be is "not measured" in the table, with the reason. Nothing
else should run meanwhile.
"""

import datetime
import json
import os
import pathlib
import shlex
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import app, flags

from benchmarks.speed import environments, programs, report, tables

ROOT = pathlib.Path(__file__).parent.parent

_OF_SENTENCES = ("padding", "latency", "preprocessing", "embedding", "training")

_TABLE = flags.DEFINE_list("table", list(tables.TABLES), "Tables to measure.")
_OUTPUT = flags.DEFINE_string("output", str(ROOT / "docs"), "Folder of performance.md.")
_SP_MODEL = flags.DEFINE_string("sp_model", None, "SentencePiece model with 30000 pieces.")
_SST2 = flags.DEFINE_string("sst2", None, "dev.tsv of SST-2; train.tsv for `embedding`.")
_ENVIRONMENTS = flags.DEFINE_string(
    "environments", "~/.cache/albert_tf_benchmarks", "Folder of the peers' virtual environments."
)
_FILES = flags.DEFINE_string(
    "files", None, "Folder that keeps the exported models. Default: exported anew each time."
)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "How often everything is measured.", lower_bound=1)
_MORE = flags.DEFINE_bool("more", False, "Adds the rounds to those that the table has.")
_SECONDS = flags.DEFINE_float("seconds", float("inf"), "Of a table; fewer rounds if they end.")
_SHAPES = flags.DEFINE_list("shapes", ["8x128", "32x128", "8x512"], "batch x length of `dense`.")
_BATCHES = flags.DEFINE_integer("batches", 7, "Batches of SST-2 in a round of `padding`.")
_REQUESTS = flags.DEFINE_integer("requests", 100, "Requests in a round of `latency`.")
_ONLY = flags.DEFINE_multi_string("only", [], "Only this program; may be repeated.")
_XXLARGE = flags.DEFINE_bool("xxlarge", False, "Whether `memory` has a row for xxlarge.")
_REMARK = flags.DEFINE_string("remark", "", "A sentence for below the tables, on disturbances.")
_TIMEOUT = flags.DEFINE_float("timeout", 600, "Seconds that a program may take for one answer.")


def read_sentences(path):
    """The sentences of a GLUE file."""
    with open(path, encoding="utf-8") as file:
        header, *rows = (line.rstrip("\n").split("\t") for line in file)
    return [row[header.index("sentence")] for row in rows]


def count_tokens(sentences, sp_model):
    """Tokens of each sentence, with [CLS] and [SEP], 128 at most."""
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=sp_model)
    return [min(128, 2 + len(ids)) for ids in processor.encode([s.lower() for s in sentences])]


def main(_):
    wanted = [name for name in _TABLE.value if name]
    unknown = sorted(set(wanted) - set(tables.TABLES))
    if unknown:
        raise app.UsageError(f"--table must be of {', '.join(tables.TABLES)}. Received: {unknown}.")
    if wanted and not _SP_MODEL.value:
        raise app.UsageError("--sp_model must name the SentencePiece model. Received: nothing.")
    if set(_OF_SENTENCES) & set(wanted) and not _SST2.value:
        raise app.UsageError("These tables need --sst2. Received: nothing. Name SST-2's dev.tsv.")
    sentences = read_sentences(_SST2.value) if _SST2.value else []
    output = pathlib.Path(_OUTPUT.value)
    with tempfile.TemporaryDirectory() as temporary:
        setting = tables.Setting(
            programs.Launcher(
                _ENVIRONMENTS.value, _FILES.value or temporary, _SP_MODEL.value, _TIMEOUT.value
            ),
            rounds=_ROUNDS.value,
            shapes=[tuple(map(int, shape.split("x"))) for shape in _SHAPES.value],
            sentences=sentences,
            tokens=count_tokens(sentences, _SP_MODEL.value) if sentences else [],
            batches=_BATCHES.value,
            requests=_REQUESTS.value,
            only=_ONLY.value,
            xxlarge=_XXLARGE.value,
            seconds=_SECONDS.value,
        )
        for name in wanted:
            file = output / "performance" / f"{name}.json"
            earlier = json.loads(file.read_text()) if _MORE.value and file.exists() else None
            setting.done = report.rounds(earlier) if earlier else 0
            result = {"table": name, **tables.TABLES[name](setting)}
            result |= {
                "command": _command(name, setting.done + report.rounds(result)),
                "remark": _REMARK.value,
                "date": datetime.date.today().isoformat(),
                "machine": environments.machine(),
                "versions": setting.launcher.versions(),
            }
            if earlier:
                result = report.joined(earlier, result)
            report.write(result, output / "performance")
            report.write_page(output / "performance", output / "performance.md", tables.TABLES)
            print(report.markdown(result), flush=True)
    report.write_page(output / "performance", output / "performance.md", tables.TABLES)


def _command(table, rounds):
    """The command of one table and all its rounds, without this machine's paths."""
    hidden = ["--table", "--more", "--rounds", "--output", "--environments", "--files", "--seconds"]
    hidden += ["--timeout", "--remark"] + ([] if table in _OF_SENTENCES else ["--sst2"])
    kept = ["python", "-m", "benchmarks.performance", f"--table={table}"]
    kept.append(f"--rounds={rounds}")
    for argument in sys.argv[1:]:
        key, _, value = argument.partition("=")
        if key not in hidden:
            kept.append(f"{key}={pathlib.Path(value).name}" if "/" in value else argument)
    return shlex.join(kept)


if __name__ == "__main__":
    app.run(main)
