"""Index and catalogue again, from the WARC files alone.

Both hold nothing that the records do not say, and are read out of them by the code that filled them in the first place,
so after a rebuild nothing differs but what was lost or damaged.
"""

from archive.rebuild.account import Damage, Difference, Rebuilt
from archive.rebuild.rebuilding import Progress, rebuild

__all__ = ["Damage", "Difference", "Progress", "Rebuilt", "rebuild"]
