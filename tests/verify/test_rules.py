"""Every rule, broken alone; and what breaks none."""

from __future__ import annotations

import io
import json

import pytest

from archive.verify import RULES, Report, verify_file
from tests.verify.archives import NOW
from tests.verify.samples import BROKEN, CLEAN, COUPLED, NAMES

# Rules about archives as a whole are broken in test_whole.py.
OF_ARCHIVES = {code for code, rule in RULES.items() if list(RULES).index(code) >= list(RULES).index("manifest-missing")}


def verified(data: bytes, name: str | None = None, *, strict: bool = False) -> Report:
    name = name or ("a.warc.gz" if data[:2] == b"\x1f\x8b" else "a.warc")
    return verify_file(io.BytesIO(data), name=name, strict=strict, now=NOW)


def test_every_rule_about_files_and_records_has_a_sample():
    of_packages = {code for code in RULES if code.startswith("wacz-")}  # broken in test_wacz.py
    assert set(BROKEN) | set(COUPLED) == set(RULES) - OF_ARCHIVES - of_packages


@pytest.mark.parametrize("code", sorted(set(BROKEN) - set(COUPLED)))
def test_a_file_that_breaks_one_rule_is_told_so_and_nothing_else(code: str):
    report = verified(BROKEN[code], NAMES.get(code))
    assert report.codes() == {code}, list(report.lines())
    assert report.ok == (RULES[code].severity != "error")
    assert verified(BROKEN[code], NAMES.get(code), strict=True).ok == (RULES[code].severity == "info")


@pytest.mark.parametrize("code", sorted(COUPLED))
def test_some_rules_are_broken_together(code: str):
    data, others = COUPLED[code]
    assert verified(data).codes() == {code} | others


@pytest.mark.parametrize("name", sorted(CLEAN))
def test_what_the_standard_allows_is_not_held_against_a_file(name: str):
    assert list(verified(CLEAN[name], strict=True).findings) == []


def test_a_finding_names_file_place_record_rule_and_clause():
    report = verified(BROKEN["block-digest"])
    (finding,) = report.findings
    start = BROKEN["block-digest"].rindex(b"WARC/1.1")
    assert (finding.file, finding.offset, finding.record_id) == ("a.warc", start, "<urn:uuid:1>")
    assert finding.line().startswith(f"error: a.warc at byte {start}, record <urn:uuid:1>: WARC-Block-Digest is ")
    assert finding.line().endswith("[block-digest; WARC 1.1, 5.8]")
    as_json = json.loads(json.dumps(report.to_json()))
    assert as_json["findings"][0]["code"] == "block-digest"
    assert (as_json["ok"], as_json["records"]) == (False, {"response": 1, "warcinfo": 1})


def test_rules_are_complete_sentences_with_codes_of_their_own():
    for rule in RULES.values():
        assert rule.sentence.endswith(".")
        assert rule.clause
