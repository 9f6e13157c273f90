"""Who may see what: rules that hold in replay, TimeMaps, CDX, search and export alike."""

from archive.access.reading import ACCESS_KEY, AccessError, read_rules, rules_of
from archive.access.rules import OPEN, Access, Rule, Verdict

__all__ = ["ACCESS_KEY", "OPEN", "Access", "AccessError", "Rule", "Verdict", "read_rules", "rules_of"]
