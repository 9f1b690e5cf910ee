"""A pytest plugin of `python -m tests`: tests run in processes that end when they have grown.

A worker has imported TensorFlow and all tests. It forks a process that runs file after file until
it holds too much, then the next one. An end returns memory, which TensorFlow does not; a fork costs
nothing, unlike a fresh start. Files that do not depend on Keras come last, each in a process of its
own, and the first worker that gets to one claims it.
"""

import contextlib
import gc
import importlib
import multiprocessing
import os
import pathlib
import sys
import tempfile

import psutil
import pytest
from _pytest.runner import runtestprotocol

from tests import keras_use, programs

ENOUGH = 0.8e9  # Bytes.
COMPUTED = (
    "Tests must not compute with TensorFlow while they are imported: its threads do not survive a "
    "fork. Received: {}, with a tensor outside of functions. Move it into one."
)


def generation():
    return "tf_keras" if os.environ.get("TF_USE_LEGACY_KERAS") == "1" else "keras"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Controller())
        return
    config.pluginmanager.register(FileProcesses(config))
    if "tests.conftest" not in sys.modules:
        return  # These are others' tests.
    # Before anything is configured that a program would not find.
    importlib.import_module("tensorflow")
    importlib.import_module(generation())
    shared = config.workerinput["shared"]
    config.add_cleanup(programs.Server(f"{shared}/programs_{generation()}").close)


class Controller:
    """Gives the workers one directory: what tests make once, and who runs what runs once."""

    def __init__(self):
        self.shared = tempfile.TemporaryDirectory()

    def pytest_configure_node(self, node):
        node.workerinput["shared"] = self.shared.name

    def pytest_unconfigure(self):
        self.shared.cleanup()


class FileProcesses:
    def __init__(self, config):
        self.config = config
        self.process = self.connection = None
        self.computed = None  # The test file that computed with TensorFlow when it was imported.

    def pytest_collectreport(self, report):
        context = sys.modules.get("tensorflow.python.eager.context")
        if context and context.context()._initialized:
            self.computed = self.computed or report.nodeid

    def pytest_collection_modifyitems(self, items):
        # The other generation begins at the other end: the files that need most memory do not meet,
        # and what one has made the other finds.
        files = {path: n for n, path in enumerate(dict.fromkeys(item.path for item in items))}
        sign = -1 if generation() == "tf_keras" else 1
        items.sort(key=lambda x: (not keras_use.uses_keras(x.path), sign * files[x.path]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        if not keras_use.uses_keras(item.path) and not self.claim(item.path):
            return True
        if self.computed:
            reports = [failure(item, COMPUTED.format(self.computed))]
        else:
            if not self.process:
                self.start(item)
            reports = self.run(item, last := self.is_last(item, nextitem))
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if self.process and last:
            self.stop()
        return True

    def pytest_sessionfinish(self):
        if self.process:
            self.stop()

    def is_last(self, item, nextitem):
        """Whether the process is to end after `item`."""
        if nextitem is None or nextitem.path == item.path:
            return nextitem is None
        both_use_keras = keras_use.uses_keras(item.path) and keras_use.uses_keras(nextitem.path)
        return not both_use_keras or psutil.Process(self.process.pid).memory_info().rss > ENOUGH

    def claim(self, path):
        """Whether the tests of `path` are this worker's to run, not the other's."""
        name = str(path).replace(os.sep, ".")
        link = pathlib.Path(self.config.workerinput["shared"], name)
        with contextlib.suppress(FileExistsError):
            link.symlink_to(generation())  # Content and all in one step, unlike a file.
        return os.readlink(link) == generation()

    def start(self, item):
        self.config._tmp_path_factory.getbasetemp()  # One for all processes.
        fork = multiprocessing.get_context("fork")
        self.connection, other = fork.Pipe()
        ends = self.connection, other
        self.process = fork.Process(target=serve, args=(self.config, item.session, *ends))
        self.process.start()
        other.close()

    def run(self, item, last):
        """Yields the reports of `item` as the process sends them, warnings apart."""
        hook = self.config.hook
        try:
            self.connection.send((item.session.items.index(item), last))
            for name, data in iter(self.connection.recv, None):
                if name == "report":
                    yield hook.pytest_report_from_serializable(config=self.config, data=data)
                else:
                    hook.pytest_warning_recorded.call_historic(kwargs=data)
        except (EOFError, ConnectionError):
            status = self.stop()
            yield failure(item, f"Its process ended in this test, with exit status {status}.")

    def stop(self):
        """Waits for the end of the process; returns its exit status."""
        process, self.process = self.process, None
        self.connection.close()
        process.join()
        return process.exitcode


def failure(item, text):
    return pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call")


def serve(config, session, workers_end, connection):
    """What a forked process does: runs the tests that arrive and sends what they report."""
    workers_end.close()
    gc.freeze()  # Garbage is in what tests make, not in the packages imported so far.
    plugins = config.pluginmanager
    for plugin in plugins.get_plugins():
        # What speaks to the terminal or to the controller: the worker does that.
        if isinstance(plugin, FileProcesses) or type(plugin).__name__ == "WorkerInteractor":
            plugins.unregister(plugin)
    sender = Sender(config)
    plugins.register(sender)  # Tells it of all warnings so far, too, which it does not send.
    sender.connection = connection
    last = False
    while not last:
        try:
            index, last = connection.recv()
        except EOFError:  # The run was stopped, as by `-x`.
            return session._setupstate.teardown_exact(None)
        item = session.items[index]
        if not keras_use.uses_keras(item.path):
            keras_use.forbid()
        nextitem = None if last else session.items[index + 1]
        item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        connection.send(None)


class Sender:
    def __init__(self, config):
        self.config = config
        self.connection = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
            self.connection.send(("report", data))
        return True

    def pytest_warning_recorded(self, warning_message, when, nodeid, location):
        data = dict(warning_message=warning_message, when=when, nodeid=nodeid, location=location)
        if self.connection:
            self.connection.send(("warning", data))
