"""What a crawl did and did not: observed while it runs, told when a run has ended, kept in the archive's storage.

    observing ─ what a fresh reading shows beside the one before it     in the crawl, kept in the frontier
    tally     ─ requests, statuses and bytes of each host               in the crawl, in memory
    gone      ─ articles that are not where they were                   when the run has ended
    building  ─ report.json and skipped.jsonl out of all of these
    page      ─ report.html; pictures ─ what is drawn in it
    places    ─ where reports lie, in the archive's storage and on their way there

A crawl of a million pages holds none of them in memory: lists are read out of the frontier and written as they come.
"""
