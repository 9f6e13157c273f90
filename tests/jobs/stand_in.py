"""Stands in for ``newswarc crawl`` where only its start and its end matter: ``python stand_in.py LOG crawl …``

It says in LOG that it begins, takes a moment, says that it is done, and writes how it ended, as the crawl does. It
imports next to nothing: hundreds of it are started.
"""

import json
import os
import random
import signal
import sys
import time


def say(log: str, what: str, run: str) -> None:
    line = f"{what} {run} {os.getpid()} {time.time():.4f}\n"
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def end(path: str, code: int) -> None:
    with open(path + ".part", "w") as file:
        json.dump({"code": code, "pages": {"saved": 1}, "pages_now": 1}, file)
    os.replace(path + ".part", path)
    sys.exit(code)


def main() -> None:
    log, outcome = sys.argv[1], sys.argv[sys.argv.index("--outcome") + 1]
    run = os.path.basename(outcome).split("-")[-2]  # JOB-RUN-START.json
    signal.signal(signal.SIGTERM, lambda *_: end(outcome, 130))
    say(log, "begin", run)
    time.sleep(random.uniform(0.1, 2.2))
    say(log, "done", run)
    end(outcome, 0)


main()
