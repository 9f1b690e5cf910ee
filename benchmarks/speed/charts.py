"""Charts of results as SVG: one question each, bars beside a line at 1.0, light and dark.

Written by hand rather than by a library, so that the same numbers give the same bytes and the
picture follows the reader's colour scheme.
"""

import html
import re
import statistics

from benchmarks.speed.rounds import PEAK

# {table: {column: the question that its chart answers}}; the other columns are in the tables only.
QUESTIONS = {
    "dense": {"32 x 128": "How fast are batches without padding, 32 x 128 tokens?"},
    "padding": {"pooled_output": "How fast are sentences that are padded to 128 tokens?"},
    "latency": {"p50": "How long does one sentence take?"},
    "startup": {"first answer": "How long until the first answer of a new process?"},
    "preprocessing": {"SST-2 dev": "How fast does text become ids?"},
    "embedding": {"speed": "How fast do sentences become vectors?"},
    "training": {
        "fine-tuning, speed": "How fast is fine-tuning, without padding?",
        "fine-tuning on sentences, speed": "How fast is fine-tuning on sentences?",
        "fine-tuning, peak memory": "How much memory does fine-tuning take?",
    },
    "memory": {"load and predict": "How much memory does a process take?"},
}
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP, _BOTTOM = 860, 334, 190, 30, 84, 56
_STYLE = """
    .panel { fill: #f8fafa; } .ours { fill: #00897b; }
    .other { fill: #90a4ae; } .aside { fill: #cfd8dc; }
    text { font: 15px system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
    text { fill: #1f2d2d; } .small { font-size: 13px; fill: #4d5f5f; }
    .title { font-size: 18px; font-weight: 600; } .strong { font-weight: 600; }
    .name { text-anchor: end; } .middle { text-anchor: middle; }
    .spread { stroke: #1f2d2d; stroke-width: 2; } .grid { stroke: #dbe4e4; }
    .one { stroke: #bf360c; stroke-width: 2; stroke-dasharray: 5 4; }
    @media (prefers-color-scheme: dark) {
      .panel { fill: #1d2428; } .ours { fill: #26a69a; }
      .other { fill: #6f8590; } .aside { fill: #455a64; }
      text { fill: #e8eeee; } .small { fill: #b4c3c3; }
      .spread { stroke: #e8eeee; } .grid { stroke: #37454b; } .one { stroke: #ffab91; }
    }
"""


def file_name(table, column):
    """The name of a column's chart."""
    return f"{table}_{re.sub('[^a-z0-9]+', '_', column.lower()).strip('_')}.svg"


def questions(result):
    """{column: question} of the charts of a result."""
    return {
        column: question
        for column, question in QUESTIONS.get(result["table"], {}).items()
        if any(column in cells for cells in result["programs"].values())
    }


def chart(result, column, question):
    """One chart: each program's numbers divided by the reference's of the same round.

    Args:
      result: A result, as in report.py.
      column: The column of its numbers.
      question: The title.

    Returns:
      SVG, str.
    """
    unit, better = (result["columns"][column][key] for key in ("unit", "better"))
    reference = result["reference"]
    rows = [
        (program, _multiples(result, program, column), statistics.median(cells[column]))
        for program, cells in result["programs"].items()
        if column in cells
    ]
    rows.sort(key=lambda row: statistics.median(row[1]), reverse=better == "higher")
    most = max(max(parts) for _, parts, _ in rows)
    step = next(s for s in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10, 20, 50) if most / s <= 8)
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    bottom = _TOP + _ROW * len(rows)
    lines = []
    for i in range(int(most / step + 1e-9) + 1):
        x = _LEFT + scale * i * step
        lines.append(f'<path class="grid" d="M{x:.1f} {_TOP - 6}V{bottom}"/>')
        lines.append(_text("small middle", x, bottom + 18, f"{i * step:g}"))
    for place, (program, parts, value) in enumerate(rows):
        y, width = _TOP + _ROW * place, scale * statistics.median(parts)
        kind = "aside" if program.split(",")[0] in (PEAK, "TensorFlow") else "other"
        kind = "ours" if program.startswith("albert_tf") else kind
        style = "name strong" if program == reference else "name"
        lines.append(_text(style, _LEFT - 10, y + 19, program))
        lines.append(
            f'<rect class="{kind}" x="{_LEFT}" y="{y + 4}" width="{width:.1f}" height="20" rx="2"/>'
        )
        if max(parts) > min(parts):
            ends = [_LEFT + scale * end for end in (min(parts), max(parts))]
            lines.append(f'<path class="spread" d="M{ends[0]:.1f} {y + 14}H{ends[1]:.1f}"/>')
        lines.append(_text(style, _WIDTH - 24, y + 19, f"{number(value)} {unit}"))
    one = _LEFT + scale
    lines.append(f'<path class="one" d="M{one:.1f} {_TOP - 6}V{bottom}"/>')
    machine = result["machine"]
    subtitle = (
        f"ALBERT base on {machine['cores']} cores of {machine['processor']}; 1.0 is {reference}; "
        f"{'longer' if better == 'higher' else 'shorter'} is better"
    )
    height = bottom + _BOTTOM
    axis = f"{unit}, relative to {reference}: the median, and a line from smallest to largest"
    body = "\n  ".join(lines)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" \
role="img" aria-label="{html.escape(question)}">
  <style>{_STYLE}  </style>
  <rect class="panel" width="{_WIDTH}" height="{height}" rx="14"/>
  <text class="title" x="24" y="36">{html.escape(question)}</text>
  <text class="small" x="24" y="58">{html.escape(subtitle)}</text>
  {body}
  <text class="small middle" x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{bottom + 40}">{axis}</text>
</svg>
"""


def _text(style, x, y, text):
    return f'<text class="{style}" x="{x:.1f}" y="{y}">{html.escape(text)}</text>'


def _multiples(result, program, column):
    """A program's numbers by the reference's, round by round."""
    numbers = result["programs"][program][column]
    references = result["programs"][result["reference"]]
    beside = result.get("beside", {}).get(program, references)[column]
    if program == PEAK:  # Measured before every other program, so more often than they.
        beside = [statistics.median(beside)] * len(numbers)
    return [mine / theirs for mine, theirs in zip(numbers, beside)]


def number(x):
    """As in the tables: three digits, or whole numbers with thousands set apart."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"
