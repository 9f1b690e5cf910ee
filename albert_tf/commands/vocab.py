"""Trains a SentencePiece vocabulary with ALBERT's options."""

from absl import flags

from albert_tf.commands.document_flags import INPUT, document_format
from albert_tf.commands.run import run

_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Model file to write, such as my.model; my.vocab comes beside it.",
    required=True,
)
_VOCAB_SIZE = flags.DEFINE_integer(
    "vocab_size", 30000, "Number of pieces, <pad>, <unk>, [CLS], [SEP], [MASK] included."
)
_LOWER = flags.DEFINE_bool("lower", True, "Lower-case and remove accents.")
_COVERAGE = flags.DEFINE_float(
    "character_coverage", 0.99995, "Part of the characters in the text that get pieces."
)
_SENTENCES = flags.DEFINE_integer(
    "input_sentence_size",
    1_000_000,
    "Train on a random sample of so many sentences if there are more; it bounds the memory. "
    "ALBERT's vocabulary was trained on 10000000.",
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace what is at --output.")
_DETAILS = flags.DEFINE_bool("details", False, "Show SentencePiece's own messages.")


def main():
    import tqdm

    from albert_tf.data.pretraining.documents import DocumentFiles
    from albert_tf.text.vocabulary import train_vocabulary

    documents = DocumentFiles(INPUT.value, document_format())

    def texts():
        bar = tqdm.tqdm(total=documents.size, unit="B", unit_scale=True, desc="reading")
        with bar:
            for document in documents.read(shard=0, num_shards=1):
                yield from document
                bar.update(sum(len(sentence.encode()) for sentence in document))
        print("Training; a million sentences take some minutes.", flush=True)

    model = train_vocabulary(
        texts(),
        _OUTPUT.value,
        _VOCAB_SIZE.value,
        lower=_LOWER.value,
        character_coverage=_COVERAGE.value,
        input_sentence_size=_SENTENCES.value,
        overwrite=_OVERWRITE.value,
        verbose=_DETAILS.value,
    )
    for index in range(5):
        print(f"{index}  {model.pieces[index]}")
    print(f"Wrote {model.path} with {model.vocab_size} pieces.")


def start(argv=None):
    run(main, argv)
