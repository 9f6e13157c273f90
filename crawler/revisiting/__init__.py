"""When what the archive holds is asked for again, and how: the ladder of articles, the intervals of fronts.

All of it is derived from the archive's own captures, through its catalogue, so that it outlives any crawl and goes for
every machine on which ``newswarc index rebuild`` was run.
"""
