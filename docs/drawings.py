"""Writes the drawings of the pages into docs/pictures: `python docs/drawings.py`.

They are SVG, follow the reader's colour scheme, and take their numbers from the code.
"""

import io
import math
import pathlib
import re

from albert_tf.config import PRESETS
from albert_tf.saved_model.contract.encoder import variable_shapes

PICTURES = pathlib.Path(__file__).parent / "pictures"
SENTENCES = [
    "I like my phone.",
    "My phone is not good.",
    "Will it snow tomorrow?",
    "Recently a lot of hurricanes have hit the US.",
    "How old are you?",
    "What is your age?",
]
_STYLE = """<style>
    .panel { fill: #f8fafa; } .box { fill: #ffffff; stroke: #b3c2c2; }
    .block { fill: #d5efec; stroke: #00796b; stroke-width: 2; }
    text { font: 15px system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
    text { fill: #1f2d2d; text-anchor: middle; } .small { font-size: 13px; fill: #4d5f5f; }
    text.name { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
    .strong { font-weight: 600; } .lane { font-weight: 600; text-anchor: start; }
    .arrow { fill: none; stroke: #4d5f5f; stroke-width: 1.6; marker-end: url(#head); }
    .loop { stroke: #00796b; stroke-width: 2.4; marker-end: url(#loop-head); }
    #head path { fill: #4d5f5f; } #loop-head path { fill: #00796b; }
    @media (prefers-color-scheme: dark) {
      .panel { fill: #1d2428; } .box { fill: #2a3338; stroke: #5f7178; }
      .block { fill: #0f4741; stroke: #4db6ac; }
      text { fill: #e8eeee; } .small { fill: #b4c3c3; }
      .arrow { stroke: #b4c3c3; } #head path { fill: #b4c3c3; }
      .loop { stroke: #4db6ac; } #loop-head path { fill: #4db6ac; }
    }
  </style>
  <defs>
    <marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" \
orient="auto"><path d="M0 0 10 5 0 10z"/></marker>
    <marker id="loop-head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="6" markerHeight="6" \
orient="auto"><path d="M0 0 10 5 0 10z"/></marker>
  </defs>"""


def _drawing(width, height, label, parts):
    body = "\n  ".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" \
aria-label="{label}">
  {_STYLE}
  <rect class="panel" width="{width}" height="{height}" rx="14"/>
  {body}
</svg>
"""


def _text(style, x, y, text):
    return f'<text class="{style}" x="{x}" y="{y}">{text}</text>'


def _box(x, y, width, height, title, *lines, style="box", title_style="strong"):
    """A box with a title and smaller lines in it."""
    first = y + height / 2 + 5 - 9.5 * len(lines)
    rows = [_text("small", x + width / 2, first + 19 * (i + 1), t) for i, t in enumerate(lines)]
    rect = f'<rect class="{style}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'
    return [rect, _text(title_style, x + width / 2, first, title), *rows]


def _arrow(path):
    return f'<path class="arrow" d="{path}"/>'


def architecture():
    """The parts of ALBERT base, with their weights: where they are shared, where time goes."""
    config = PRESETS["albert_base_v2"]
    shapes = {name: math.prod(shape) for name, shape in variable_shapes(config).items()}
    whole = sum(shapes.values())
    block = sum(n for name, n in shapes.items() if name.startswith("transformer"))
    pooler = sum(n for name, n in shapes.items() if name.startswith("pooler"))

    def millions(n):
        return f"{n / 1e6:.1f}"

    rest, layers = whole - block - pooler, config.num_hidden_layers
    label = (
        f"ALBERT base: embeddings with {millions(rest)} million weights, one block with "
        f"{millions(block)} million weights that is applied {layers} times, and a pooler with "
        f"{millions(pooler)} million weights"
    )
    parts = [
        _text("", 76, 152, "“How old"),
        _text("", 76, 172, "are you?”"),
        _arrow("M126 160h30"),
        *_box(160, 118, 136, 84, "Preprocessor", "word pieces, ids", "no weights"),
        _arrow("M296 160h30"),
        *_box(
            330,
            118,
            136,
            84,
            "Embeddings",
            f"{config.embedding_size} wide, then {config.hidden_size}",
            f"{millions(rest)} M weights",
        ),
        _arrow("M466 160h44"),
        *_box(
            514,
            104,
            166,
            112,
            "One block",
            "attention, feed-forward",
            f"{millions(block)} M weights, shared",
            style="block",
        ),
        '<path class="arrow loop" d="M676 112C724 36 470 36 518 112"/>',
        _text("strong", 597, 40, f"applied {layers} times: most of the time goes here"),
        _arrow("M680 144C706 130 706 82 734 82"),
        _arrow("M680 160h54"),
        _arrow("M680 176C706 190 706 238 734 238"),
        *_box(738, 46, 196, 70, "sequence_output", "a vector for each token", title_style="name"),
        *_box(
            738,
            126,
            196,
            70,
            "pooled_output",
            f"pooler, {millions(pooler)} M weights",
            title_style="name",
        ),
        *_box(738, 206, 196, 70, "mlm, sop", "or the head of your task", title_style="name"),
        _text(
            "small",
            480,
            312,
            f"{millions(whole)} million weights do the arithmetic of BERT base, which has 110 "
            "million. Smaller, not faster.",
        ),
    ]
    return _drawing(960, 330, label, parts)


def flows():
    """What goes through the package: texts, checkpoints and data."""
    lanes = [
        (
            "Use: texts in, answers out",
            ("Text", "a list, a file,", "a request"),
            ("Preprocessor", "word pieces", "and their ids"),
            ("Head", "label, tags, span,", "word, vector"),
            ("Answers", "Predictor, serve,", "KerasLayer"),
        ),
        (
            "Exchange: checkpoints in, models out",
            ("Checkpoint", "TF1, TF Hub, KerasHub,", "Hugging Face"),
            ("from_checkpoint", "every tensor,", "or an error"),
            ("Export", "checked before", "it appears"),
            ("Model", "SavedModel, TF Lite,", "Hugging Face, TF1"),
        ),
        (
            "Train: data in, weights out",
            ("Data", "raw text,", "or files with labels"),
            ("Features", "computed once,", "kept in a cache"),
            ("Training", "pretrain, finetune;", "can be interrupted"),
            ("Run", "weights, scores,", "curves, SavedModel"),
        ),
    ]
    columns, width, height = (24, 222, 594, 782), 154, 84
    parts = [*_box(420, 24, 140, 392, "AlbertEncoder", "one set of weights", style="block")]
    for i, (title, *boxes) in enumerate(lanes):
        y = 52 + 136 * i
        parts.append(_text("lane", 24, y - 14, title))
        for x, box in zip(columns, boxes):
            parts += _box(x, y, width, height, *box)
        middle = y + height / 2
        for start, end in ((178, 222), (376, 420), (560, 594), (748, 782)):
            parts.append(_arrow(f"M{start} {middle:g}H{end - 3}"))
    return _drawing(960, 440, "The three flows: use, exchange and train", parts)


def similarity():
    """The heat map of six sentences, as `albert-tf similarity --heat_map` draws it."""
    import matplotlib

    import albert_tf

    vectors = albert_tf.Predictor("albert_tiny_en", task="embedding")(SENTENCES)
    ink = "#010203"
    colors = {f"{name}.color": ink for name in ("xtick", "ytick", "text")}
    look = {**colors, "axes.labelcolor": ink, "axes.edgecolor": ink, "savefig.transparent": True}
    file = io.StringIO()
    with matplotlib.rc_context({**look, "svg.fonttype": "none", "svg.hashsalt": "albert_tf"}):
        albert_tf.draw_heat_map(vectors, SENTENCES, file, "svg")
    drawing = file.getvalue().replace(ink, "currentColor")
    style = (
        "<style>svg { color: #1f2d2d; } .panel { fill: #f8fafa; } "
        "@media (prefers-color-scheme: dark) "
        "{ svg { color: #e8eeee; } .panel { fill: #1d2428; } }</style>"
        '<rect class="panel" width="100%" height="100%" rx="10"/>'
    )
    return re.sub(r"(<svg [^>]*>)", lambda match: match[1] + style, drawing, count=1)


DRAWINGS = {"albert": architecture, "flows": flows, "similarity": similarity}


def main():
    for name, draw in DRAWINGS.items():
        (PICTURES / f"{name}.svg").write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
