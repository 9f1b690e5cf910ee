"""What a model's tensors say, as Hugging Face's pipelines say it."""

import numpy as np

AUTO = "auto"


def check_top_k(top_k, task):
    """Raises a ValueError unless `top_k` is "auto", None or a positive int, and fits the task."""
    if top_k == AUTO:
        return
    if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1):
        raise ValueError(
            f"`top_k` must be a positive integer, or None for all answers. Received: {top_k!r}."
        )
    if task in ("regression", "embedding", "token_classification"):
        raise ValueError(
            f"`top_k` is for models that choose among answers. Received: top_k={top_k!r} for a "
            f"model of {task}. Leave it out."
        )


def answers(outputs, rows, record, top_k=AUTO):
    """The answer to each row of a batch.

    Args:
      outputs: {name: array [batch, ...]}, what `serving_default` returns.
      rows: The batch's rows, tuples of str.
      record: What `task()` of the model tells, and its `labels`.
      top_k: How many answers; see `Predictor`.

    Returns:
      List of what `Predictor` describes.
    """
    task = record["task"]
    if task == "embedding":
        return list(outputs["embedding"])
    if task == "regression":
        return [{"score": score} for score in outputs["score"].tolist()]
    if task == "token_classification":
        return [_entities(outputs, i, row[0]) for i, row in enumerate(rows)]
    if task == "fill_mask":
        return [_fillings(outputs, i, top_k) for i in range(len(rows))]
    if task == "span":
        return [_spans(outputs, i, top_k) for i in range(len(rows))]
    if task == "multiple_choice":
        return [
            _best([{"choice": c, "answer": text} for c, text in enumerate(row[2])], p, top_k)
            for row, p in zip(rows, outputs["probabilities"])
        ]
    names = [{"label": label} for label in record["labels"]]
    if task == "multi_label" and top_k == AUTO:
        return [
            [answer for answer, i in _ranked(names, p) if predicted[i]]
            for p, predicted in zip(outputs["probabilities"], outputs["predictions"])
        ]
    return [_best(names, p, top_k) for p in outputs["probabilities"]]


def _ranked(names, probabilities):
    """(dict with its score, index) of each answer, best first."""
    order = np.argsort(-probabilities, kind="stable").tolist()
    return [({**names[i], "score": float(probabilities[i])}, i) for i in order]


def _best(names, probabilities, top_k):
    ranked = [answer for answer, _ in _ranked(names, probabilities)]
    return ranked[0] if top_k == AUTO else ranked[:top_k]


def _spans(outputs, i, top_k):
    spans = [
        {
            "answer": answer.decode(),
            "score": float(outputs["probabilities"][i, n]),
            "start": int(outputs["char_starts"][i, n]),
            "end": int(outputs["char_ends"][i, n]),
        }
        for n, answer in enumerate(outputs["answers"][i].tolist())
        if outputs["char_starts"][i, n] >= 0
    ]
    if top_k != AUTO:
        return spans[:top_k]
    if spans and outputs["answer"][i]:
        return spans[0]
    # Odds of the null answer against the best span; of SQuAD 2.0, the logit of there being none.
    odds = float(np.clip(outputs["no_answer_score"][i], -50, 50))
    return {"answer": "", "score": 1 / (1 + float(np.exp(-odds))), "start": 0, "end": 0}


def _fillings(outputs, i, top_k):
    count = int(outputs["counts"][i])
    most = None if top_k == AUTO else top_k
    columns = [
        outputs[name][i, :count, :most].tolist()
        for name in ("scores", "token_ids", "tokens", "sequences")
    ]
    masks = [
        [
            {
                "score": score,
                "token": token,
                "token_str": piece.decode().replace("▁", " ").strip(),
                "sequence": sequence.decode(),
            }
            for score, token, piece, sequence in zip(*mask)
        ]
        for mask in zip(*columns)
    ]
    return masks[0] if count == 1 else masks


def _entities(outputs, i, text):
    """Words of one entity together, as Hugging Face's aggregation "first" does."""
    count = int(outputs["counts"][i])
    tags, scores, starts, ends = (
        outputs[name][i, :count].tolist() for name in ("tags", "scores", "char_starts", "char_ends")
    )
    groups, kind = [], None  # Of [kind, scores, start, end].
    for tag, score, start, end in zip(tags, scores, starts, ends):
        prefix, _, name = tag.decode().partition("-")
        if prefix not in ("B", "I") or not name:
            prefix, name = "I", tag.decode()
        if name in ("", "O"):
            kind = None
            continue
        if name == kind and prefix == "I":
            groups[-1][1].append(score)
            groups[-1][3] = end
        else:
            groups.append([name, [score], start, end])
        kind = name
    return [
        {
            "entity_group": name,
            "score": float(np.mean(found)),
            "word": text[start:end],
            "start": start,
            "end": end,
        }
        for name, found, start, end in groups
    ]
