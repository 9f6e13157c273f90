"""The guarded pool: worker processes in which strangers' HTML is parsed.

A page of 0.35 MB can hold a C parser, and with it the interpreter's lock, for seconds; no signal interrupts it, another
page takes all memory, a third crashes the process. So pages are parsed in processes that may die:

    Workers ─ one thread a worker ─ socket ─ worker          parses one page at a time, under a memory limit
       └──────── control socket ──── server ─┘               imported everything once; forks, kills and reaps workers

The server is a fresh interpreter, started at the first task. It imports what all tasks need, as the extraction and the
publishers, and forks workers on demand, so that a new worker costs milliseconds, not a new import of trafilatura. A
worker that has used its processor time is ended by the kernel, whatever it is at, and one that stands still, by the
clock, by us; it costs its own task alone. A task whose worker was killed from outside is tried once more. Workers die
with the server and the server with us, however we end. Nothing of ours is inherited: no descriptors, no threads, no
terminal.

    pool ─┬ client     the server and a worker as the parent sees them
          ├ server     what they do
          └ messages   how they speak

Why not a library: ``concurrent.futures`` cannot kill a worker and breaks as a whole when one dies. Pebble 5.2 was
tried: one worker killed while idle makes every later task fail ("Unexpected error within the Pool"), since its workers
share one pipe and its locks, and its SIGTERM gives a parser that hangs in C three more seconds. ``multiprocessing``
imports the parent's main module again in each worker. One socket a worker needs no locks and has no such ties.
"""

from archive.workers.pool import Workers

__all__ = ["Workers"]
