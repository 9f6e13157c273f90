"""Whether a site was redesigned such that its articles are no longer read well.

Told from what was extracted alone, article by article in the order of capture: no clock, no files, no network. A host's
articles are compared with those before them, in which share a field is there (:mod:`archive.drift.shares`) and how
long the text is (:mod:`archive.drift.lengths`); what counts as chance is in :mod:`archive.drift.chance`.

Sites mix what they publish: opinion has authors, agency briefs have none and are short, and thirty of them may come in
a row. So an article is compared with what is usual in its section, and among pieces of its size there
(:mod:`archive.drift.sections`), and what is left is judged by how much the host's own stretches of 20 articles differed
before. What a host has always mixed raises no alarm; what it never showed before does.

A redesign that also moves all articles to sections with new names is told by titles, dates and the publisher's rules
alone, and later; one that cuts texts to the size of the host's own briefs and loses authors at once takes 80 articles.
"""

from archive.drift.facts import Fact, fact_of
from archive.drift.watch import Drift, Watch, drifts

__all__ = ["Drift", "Fact", "Watch", "drifts", "fact_of"]
