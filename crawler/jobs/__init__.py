"""Jobs: crawls that are run on a schedule, each as a process of its own, and written down before and after.

A scheduled moment is one row, keyed by job and moment, in a file beside the archive that the job writes to. Whoever
runs a job, ``newswarc jobs run``, ``due`` or ``serve``, first takes the job's lock, then writes the row, then starts
the crawl, which inherits the lock: so a job runs once at a time whatever is killed, a moment is run once, and a run
whose process died is gone on with by its frontier.

    jobs ─┬ definition   ``[jobs.NAME]`` in newswarc.toml
          ├ schedule     cron's five fields in a time zone
          ├ ledger       the rows, and what is due
          ├ lock         one instance of a job
          ├ running      one run: lock, row, process, end
          ├ serving      stay and run them on time
          ├ alerts       telling somebody
          ├ metrics      for Prometheus
          └ units        for systemd and cron
"""
