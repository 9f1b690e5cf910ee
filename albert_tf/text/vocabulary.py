"""Training a SentencePiece model as ALBERT's vocabulary was trained."""

import io
import itertools
import pathlib
import re
from collections.abc import Iterable

import sentencepiece

from albert_tf._types import Path
from albert_tf.atomic import local_path, new_file, write_file
from albert_tf.text.reference import preprocess_text
from albert_tf.text.sentencepiece_model import SPECIAL_PIECES, SentencePieceModel

USER_DEFINED_SYMBOLS = ("(", ")", '"', "-", ".", "–", "£", "€")
# SentencePiece leaves out longer lines without a word; its own default limit.
MAX_SENTENCE_BYTES = 4192
_SEED = 12345


def train_vocabulary(
    texts: Iterable[str],
    output: Path,
    vocab_size: int,
    *,
    lower: bool = True,
    character_coverage: float = 0.99995,
    input_sentence_size: int = 1_000_000,
    overwrite: bool = False,
    verbose: bool = False,
) -> SentencePieceModel:
    """Trains a unigram model with ALBERT's options and checks it.

    Ids 0 to 4 are <pad>, <unk>, [CLS], [SEP], [MASK]; after them come the marks that ALBERT keeps
    as pieces of their own. The published command line gives them in one string, which current
    versions of SentencePiece take apart wrongly at the quotation mark; here they are a list.

    Memory is bounded by `input_sentence_size`: of more text, a random sample is used. The same
    texts give the same model.

    Args:
      texts: Iterable of str, such as the sentences of `DocumentFiles`. Each goes through
        `preprocess_text`, as text does before it is tokenized; long ones are cut at spaces.
      output: Path of the model file, such as "30k-clean.model". Its readable list is written beside
        it, with the ending .vocab.
      vocab_size: Number of pieces, special ones included; ALBERT's is 30000.
      lower: Whether to lower-case and remove accents.
      character_coverage: Part of the characters in the text that get pieces.
      input_sentence_size: Most texts held in memory, about 2 kB each while training if they are
        sentences. ALBERT's vocabulary was trained on 10 million.
      overwrite: Replace an existing file.
      verbose: Show SentencePiece's own messages on standard error.

    Returns:
      `SentencePieceModel` of the file.

    Raises:
      ValueError: If there is too little text for `vocab_size`, or none.
      FileExistsError: If `output` exists and `overwrite` is False.

    Example:
      >>> import tempfile
      >>> from albert_tf.text.vocabulary import train_vocabulary
      >>> texts = [f"{number} bottles stand on the wall" for number in range(100)]
      >>> model = train_vocabulary(texts, tempfile.mkdtemp() + "/my.model", vocab_size=40)
      >>> model.special_ids["mask_id"]
      4

    Reference: github.com/google-research/albert, README, section "SentencePiece"; the options that
    30k-clean.model stores.
    """
    local_path(output, "file")  # Refuses what is not one.
    output = pathlib.Path(output)
    if output.suffix != ".model":
        raise ValueError(f"The output must be a file that ends in .model. Received: {output}.")
    for path in (output, output.with_suffix(".vocab")):
        if path.exists() and not overwrite:
            raise FileExistsError(
                f"The output must not exist yet. Received: {path}. Choose another name, or allow "
                "to replace it with overwrite=True (--overwrite)."
            )
    _check_numbers(vocab_size, character_coverage, input_sentence_size)
    sentences = _KeepingError(_sentences(texts, lower))
    first = next(sentences, None)
    if first is None:
        raise ValueError(
            "Training a vocabulary needs text. Received: no text, or only white space. Look at the "
            "input."
        )
    proto = _train(
        itertools.chain([first], sentences),
        sentences,
        vocab_size=vocab_size,
        character_coverage=character_coverage,
        input_sentence_size=input_sentence_size,
        minloglevel=0 if verbose else 2,
    )
    with new_file(output) as file:
        file.write_bytes(proto)
        _check(SentencePieceModel.read(file), vocab_size)
    model = SentencePieceModel.read(output)
    scores = map(model.processor.GetScore, range(model.vocab_size))
    lines = (f"{piece}\t{score:g}\n" for piece, score in zip(model.pieces, scores))
    write_file(output.with_suffix(".vocab"), "".join(lines))
    return model


def _train(sentences, reader, vocab_size, **options):
    proto = io.BytesIO()
    sentencepiece.set_random_generator_seed(_SEED)  # For the sample of sentences.
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=sentences,
            model_writer=proto,
            model_type="unigram",
            vocab_size=vocab_size,
            pad_id=0,
            unk_id=1,
            bos_id=-1,
            eos_id=-1,
            control_symbols=["[CLS]", "[SEP]", "[MASK]"],
            user_defined_symbols=list(USER_DEFINED_SYMBOLS),
            shuffle_input_sentence=True,
            max_sentence_length=MAX_SENTENCE_BYTES,
            num_threads=16,  # Fixed: sums over threads decide the last digits of the scores.
            **options,
        )
    except RuntimeError as error:
        if reader.error is not None:
            raise reader.error from None
        # Its text has file and line of the C++ code in front.
        message = str(error)
        largest = re.search(r"Vocabulary size too high.*?<= (\d+)", message)
        if largest:
            raise ValueError(
                f"The text must be enough for vocab_size pieces. Received: vocab_size={vocab_size} "
                f"with text for at most {largest.group(1)}. Give more text, or a smaller "
                "vocab_size."
            ) from None
        smallest = re.search(r"smaller than required_chars\D*\d+\D+(\d+)", message)
        if smallest:
            raise ValueError(
                "vocab_size must have room for every character of the text and the special pieces, "
                f"at least {smallest.group(1)}. Received: {vocab_size}. Raise it, or lower "
                "character_coverage."
            ) from None
        raise ValueError(f"SentencePiece could not train a model. Received: {message}") from error
    return proto.getvalue()


def _check(model, vocab_size):
    special = [model.special_ids[name] for name in SPECIAL_PIECES]
    if special != [0, 1, 2, 3, 4] or model.vocab_size != vocab_size:
        raise ValueError(
            "A trained vocabulary must have <pad>, <unk>, [CLS], [SEP], [MASK] as ids 0 to 4 and "
            f"vocab_size pieces. Received: ids {special} of {model.vocab_size} pieces. Report it "
            f"with your version of SentencePiece, {sentencepiece.__version__}."
        )
    for symbol in USER_DEFINED_SYMBOLS:
        if model.processor.IdToPiece(model.processor.PieceToId(symbol)) != symbol:
            raise ValueError(
                f"A trained vocabulary must have the piece {symbol!r}. Received: one without it. "
                f"Report it with your version of SentencePiece, {sentencepiece.__version__}."
            )


def _sentences(texts, lower):
    for text in texts:
        text = preprocess_text(text, lower)
        if len(text.encode()) <= MAX_SENTENCE_BYTES:
            if text:
                yield text
        else:
            yield from _cut(text)


def _cut(text):
    """Yields a long text in parts of words, each short enough."""
    part, size = [], 0
    for word in text.split(" "):
        while len(word.encode()) > MAX_SENTENCE_BYTES:  # No spaces: cut where it is safe to.
            yield word[: MAX_SENTENCE_BYTES // 4]
            word = word[MAX_SENTENCE_BYTES // 4 :]
        size += len(word.encode()) + 1
        if size > MAX_SENTENCE_BYTES and part:
            yield " ".join(part)
            part, size = [], len(word.encode()) + 1
        part.append(word)
    if part:
        yield " ".join(part)


class _KeepingError:
    """Iterates and keeps an error, of which SentencePiece would leave only the message."""

    def __init__(self, iterator):
        self._iterator = iterator
        self.error = None

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return next(self._iterator)
        except StopIteration:
            raise
        except Exception as error:
            self.error = error
            raise


def _check_numbers(vocab_size, character_coverage, input_sentence_size):
    least = len(SPECIAL_PIECES) + len(USER_DEFINED_SYMBOLS)
    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int) or vocab_size <= least:
        raise ValueError(
            f"vocab_size must be an integer above {least}, the number of special pieces. "
            f"Received: {vocab_size!r}."
        )
    if not 0 < character_coverage <= 1:
        raise ValueError(
            f"character_coverage must be above 0 and at most 1. Received: {character_coverage!r}."
        )
    if input_sentence_size < 1:
        raise ValueError(
            f"input_sentence_size must be at least 1. Received: {input_sentence_size!r}."
        )
