"""A pytest plugin of `python -m tests`: failures as they come, and what the run took."""

import resource
import threading
import time

import psutil
import pytest


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(config))


class Report:
    def __init__(self, config):
        self.terminal = config.pluginmanager.get_plugin("terminalreporter")
        self.start, self.peak = time.time(), 0
        self.stopped = threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        """Keeps the largest sum of the memory of all processes of this run."""
        while not self.stopped.wait(10):  # Seconds; to ask takes a tenth of one.
            self.peak = max(self.peak, sum(map(memory, processes())))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        if report.failed:
            worker = report.node.gateway.id
            crash = getattr(report.longrepr, "reprcrash", None)
            message = (crash.message if crash else str(report.longrepr)).splitlines()[0]
            self.terminal.write_line(f"\nFAILED [{worker}] {report.nodeid} - {message}", red=True)

    def pytest_terminal_summary(self, terminalreporter):
        self.stopped.set()
        minutes = (time.time() - self.start) / 60
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        cpu = sum(x.ru_utime + x.ru_stime for x in used) / 60
        terminalreporter.write_line(
            f"{minutes:.1f} minutes, {cpu:.1f} minutes of processor time, "
            f"at most {self.peak / 1e9:.2f} GB in all processes together"
        )


def processes():
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def memory(process):
    """Bytes of a process, its share of what it shares with others."""
    try:
        return process.memory_full_info().pss
    except psutil.Error:
        return 0  # It has ended.
