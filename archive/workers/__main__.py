"""``python -m archive.workers``: the server, started by :class:`archive.workers.Workers` and of no use by hand."""

from archive.workers.server import main

main()
