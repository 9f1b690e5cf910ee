"""Interleaved measurements: each program runs each case once a round."""

import contextlib
import statistics
import time

from benchmarks.speed.worker import NotMeasured

# What `measure` reports the machine's speed as.
PEAK = "matrix product alone"


def measure(start, programs, cases, rounds, peak=None, say=print, seconds=float("inf")):
    """Measures programs side by side, so that what disturbs the machine disturbs all of them.

    The processes live throughout and take turns. A round before the first, which compiles and fills
    caches, does not count.

    Args:
      start: function of a program's name that returns its started `Worker`.
      programs: names.
      cases: {name of the case: function of a `Worker` and the program's name that
        returns a number, a list of numbers, or None where the program does not take part}.
      rounds: How often.
      peak: `Worker` of matrix_product.py; asked before each case of each round.
      say: function of a line of progress.
      seconds: after the first that counts, no round begins that may not end within them.

    Returns:
      ({program: {case: [number of each round]}}, {program: why it was not measured}).
    """
    begin = time.monotonic()
    values, failures = {program: {} for program in programs}, {}
    with contextlib.ExitStack() as stack:
        workers = {}
        for program in programs:
            try:
                workers[program] = stack.enter_context(start(program))
                workers[program].ask("ready")
            except NotMeasured as error:
                failures[program] = str(error)
        longest = 0.0
        for round_ in range(rounds + 1):
            round_start = time.monotonic()
            if round_ > 1 and round_start + longest > begin + seconds:
                say(f"{round_ - 1} rounds, for there is no time for more")
                break
            for case, run in cases.items():
                if peak is not None and round_:
                    numbers = values.setdefault(PEAK, {}).setdefault(case, [])
                    numbers.append(peak.ask("gflops"))
                for program in programs:
                    if program in failures:
                        continue
                    time.sleep(0.2)  # The other programs' threads go to sleep.
                    try:
                        number = run(workers[program], program)
                    except NotMeasured as error:
                        failures[program] = f"{case}: {error}"
                        continue
                    if round_ and number is not None:
                        values[program].setdefault(case, []).append(number)
                        middle = statistics.median(number if type(number) is list else [number])
                        say(f"round {round_}, {case}, {program}: {middle:.4g}")
            longest = max(longest, time.monotonic() - round_start)
    return {program: cases for program, cases in values.items() if cases}, failures
