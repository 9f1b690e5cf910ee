"""Words with their tags, one a line, as in the files of CoNLL's shared tasks."""

from albert_tf.data.tasks.text_files import numbered_lines

CONLL_ENDINGS = (".conll", ".bio", ".iob", ".iob2", ".txt")
COMMENTS = "comment lines skipped"
_DOCUMENT = "-DOCSTART-"


def read_conll(path, report):
    """Reads the sentences of a file with a word a line and a blank line after each sentence.

    Columns are divided by tabs if the first word's line has one, and otherwise by blanks; so with
    tabs, words may have blanks in them. Lines of -DOCSTART- divide sentences. At the begin of a
    sentence, a line that begins with # and has another number of columns than words have is a
    comment, counted in `report`; otherwise # is a word, as in CoNLL-2003.

    Args:
      path: Path of a UTF-8 file, perhaps compressed by gzip.
      report: `Report`.

    Returns:
      List of (line of the first word, list of the columns of each word).

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: If lines differ in the number of columns, with file and line; if words are
        numbered, as in CoNLL-U.

    Example:
      >>> import pathlib, tempfile
      >>> from albert_tf.data.report import Report
      >>> from albert_tf.data.tasks.conll import read_conll
      >>> path = pathlib.Path(tempfile.mkdtemp(), "train.conll")
      >>> _ = path.write_text("-DOCSTART- O\\n\\nAnn B-PER\\nleft O\\n\\nWhy O\\n")
      >>> read_conll(path, Report())
      [(3, [['Ann', 'B-PER'], ['left', 'O']]), (6, [['Why', 'O']])]

    Reference: E. Tjong Kim Sang and F. De Meulder, "Introduction to the CoNLL-2003 shared task".
    """
    lines = [(number, line.strip(" \t")) for number, line in numbered_lines(path)]
    words = [line for _, line in lines if line and not line.startswith(("#", _DOCUMENT))]
    words = words or [line for _, line in lines if line]
    separator = "\t" if words and "\t" in words[0] else " "
    width = len(_columns(words[0], separator)) if words else 0
    sentences, sentence = [], []
    for number, line in lines:
        columns = _columns(line, separator)
        if not columns or columns[0] == _DOCUMENT:
            sentence = []
        elif len(columns) == width:
            if not sentence:
                sentences.append((number, sentence))
            sentence.append(columns)
        elif line.startswith("#") and not sentence:
            report.add(COMMENTS, f"{path}:{number}")
        else:
            divided = "tabs" if separator == "\t" else "blanks"
            raise ValueError(
                f"Each line of a CoNLL file must have the {width} columns of the first word's, "
                f"divided by {divided}. Received: {path}:{number}: {len(columns)} columns: "
                f"{line!r:.200}."
            )
    _refuse_numbers(sentences, path)
    return sentences


def _columns(line, separator):
    return [column.strip(" ") for column in line.split(separator) if column.strip(" ")]


def _refuse_numbers(sentences, path):
    numbers = [[columns[0] for columns in words[:2]] for _, words in sentences]
    if ["1", "2"] in numbers and all(first[0] == "1" for first in numbers):
        raise ValueError(
            "The first column must have the words and the last one their tags. Received: "
            f"{path}:{sentences[0][0]}: numbers of words, as in CoNLL-U. Leave out the columns "
            "before the word."
        )
