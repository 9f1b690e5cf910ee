import json

import pytest

pytest.importorskip("apache_beam", reason="apache-beam is not installed (extra [beam])")

import apache_beam as beam  # noqa: E402
from apache_beam.testing.test_pipeline import TestPipeline as Pipeline  # noqa: E402
from apache_beam.testing.util import assert_that, equal_to  # noqa: E402

from albert_tf.data.pretraining.beam_pipeline import (  # noqa: E402
    MakePretrainingRecords,
    ReadDocuments,
    run_pipeline,
)
from albert_tf.data.pretraining.document_format import DocumentFormat  # noqa: E402
from albert_tf.data.pretraining.documents import DocumentFiles  # noqa: E402
from albert_tf.data.pretraining.options import PretrainingOptions  # noqa: E402
from albert_tf.data.pretraining.records import read_pretraining_records  # noqa: E402
from albert_tf.data.pretraining.shards import make_records  # noqa: E402
from albert_tf.data.pretraining.token_block import BlockEncoder  # noqa: E402

OPTIONS = PretrainingOptions(max_seq_length=64, dupe_factor=2)


@pytest.fixture(scope="module")
def fixtures(request):
    return request.path.parents[1] / "fixtures"


@pytest.fixture(scope="module")
def corpus(fixtures):
    return str(fixtures / "pretrain_corpus.txt")


@pytest.fixture(scope="module")
def model(fixtures):
    return str(fixtures / "tiny.model")


@pytest.fixture(scope="module")
def documents(corpus):
    return list(DocumentFiles(corpus).read(0, 1))


def test_reads_each_document_once(corpus, documents):
    with Pipeline() as pipeline:
        read = pipeline | ReadDocuments([corpus], DocumentFormat(), range_bytes=10_000)
        assert_that(read, equal_to(documents))


def test_records_are_those_of_the_same_functions(documents, model):
    block, encoder = documents[:30], BlockEncoder(model)
    made = make_records(sorted(block), encoder, OPTIONS, seed=(12345, 0, 0))
    expected = [record for records, _ in made for record in records]
    with Pipeline() as pipeline:
        records = (
            pipeline | beam.Create(block) | MakePretrainingRecords(model, OPTIONS, num_groups=1)
        )
        assert_that(records, equal_to(expected))


@pytest.mark.parametrize("recipe", ["paper", "original"])
def test_the_whole_way(tmp_path, corpus, model, recipe):
    options = PretrainingOptions(recipe=recipe, max_seq_length=64, dupe_factor=2)
    made = []
    for run in ("one", "two"):
        arguments = [[corpus], DocumentFormat(), tmp_path / run, model, options]
        counts = run_pipeline(*arguments, num_shards=2, num_groups=3)
        paths = sorted((tmp_path / run).iterdir())
        names = [path.name for path in paths]
        assert names == [f"pretraining-0000{i}-of-00002.tfrecord" for i in range(2)]
        records = [record for path in paths for record in read_pretraining_records(path)]
        made.append(sorted(str(record) for record in records))
    assert made[0] == made[1]
    assert counts["documents"] == 220 and counts["records"] == len(records)
    assert counts["record_tokens"] == sum(record["input_mask"].sum() for record in records)


def test_jsonl_in_gzip(tmp_path, documents):
    import gzip

    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps({"body": document}) + "\n" for document in documents)
    with Pipeline() as pipeline:
        read = pipeline | ReadDocuments([str(path)], DocumentFormat(field="body"))
        assert_that(read, equal_to(documents))


def test_errors(tmp_path, corpus, model):
    with pytest.raises(ValueError, match="existing files with text. Received: .*none"):
        (tmp_path / "none.txt").write_text("")
        run_pipeline([str(tmp_path / "none.txt")], DocumentFormat(), tmp_path / "out", model)
    (tmp_path / "pretraining-00000-of-00001.tfrecord").write_bytes(b"")
    with pytest.raises(FileExistsError, match="must not have records yet. Received: "):
        run_pipeline([corpus], DocumentFormat(), tmp_path, model)


def test_a_directory_is_read_with_all_below_it(tmp_path, model):
    for place, text in (("a.txt", "One."), ("AA/b.txt", "Two."), ("AA/BB/c.txt", "Three.")):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    with Pipeline() as pipeline:
        documents = pipeline | ReadDocuments([str(tmp_path)], DocumentFormat())
        assert_that(documents, equal_to([["One."], ["Two."], ["Three."]]))
