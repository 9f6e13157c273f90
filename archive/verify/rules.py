"""What is checked, as data: for each rule a stable code, how grave a breach is, where it comes from, and what it says.

Clauses are those of WARC 1.1 (ISO 28500:2017) unless another document is named. What the standard says "shall" be is an
error when broken; what it says "should" be, or recommends, is a warning; what it allows but a keeper of archives may
want to know is an info. Two kinds of rules depart from that: a breach that leaves every byte readable and that widely
used writers commit is a warning, and each such rule says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Rule:
    code: str
    severity: Severity
    clause: str
    sentence: str


_FILE: tuple[Rule, ...] = (
    Rule("empty-file", "error", "4", "A file holds one record or more."),
    Rule("not-warc", "error", "4", "A file begins with the version line of a record."),
    Rule("arc-file", "error", "4", "The file is ARC, the format before WARC."),
    Rule("garbage", "error", "4", "Between records there is nothing."),
    Rule("gzip-header", "error", "RFC 1952, 2.3", "A gzip header has no reserved flags and matches its CRC."),
    Rule("gzip-data", "error", "RFC 1951", "A gzip member can be inflated."),
    Rule("gzip-crc", "error", "RFC 1952, 2.3.1", "A gzip member inflates to bytes with the CRC of its trailer."),
    Rule("gzip-size", "error", "RFC 1952, 2.3.1", "A gzip member inflates to as many bytes as its trailer says."),
    Rule("gzip-cut", "error", "RFC 1952, 2.3", "A gzip member is whole."),
    Rule("gzip-foreign-header", "error", "newswarc", "All members newswarc writes have one and the same gzip header."),
    Rule("member-shared", "warning", "D.2", "Each record is a gzip member of its own, so that it can be read alone."),
    Rule("member-split", "warning", "D.2", "Each record is a gzip member of its own, so that it can be read alone."),
    Rule("file-name", "warning", "D.3", "The name of a gzip file, and of no other, ends in .gz."),
    Rule("no-warcinfo", "info", "5.5", "A file may begin with a warcinfo record, and is better for it."),
)

_STRUCTURE: tuple[Rule, ...] = (
    Rule("version", "error", "4", "The first line of a record names a version of the standard."),
    Rule("version-draft", "info", "4", "The record follows a draft of the standard (0.17, 0.18)."),
    Rule("header-cut", "error", "4", "A header ends in a blank line."),
    Rule("header-line", "error", "4", "A header line is a name, a colon and a value."),
    Rule("header-line-end", "error", "4", "A header line ends in CR LF."),
    Rule("header-encoding", "error", "4", "A header is UTF-8."),
    Rule("field-name", "error", "4", "The name of a field is a token."),
    Rule("field-control", "error", "4", "The value of a field holds no control characters."),
    Rule("field-empty", "error", "5", "A defined field has a value."),
    Rule("field-repeated", "error", "5.1", "A defined field stands once in a record (WARC-Concurrent-To excepted)."),
    Rule("content-length-missing", "error", "5.3", "Every record has a Content-Length."),
    Rule("content-length-value", "error", "5.3", "Content-Length is a number in digits."),
    Rule("content-length-repeated", "error", "5.1", "Content-Length stands once."),
    Rule("content-length", "error", "5.3", "Content-Length is the number of bytes in the block."),
    Rule("block-short", "error", "5.3", "A block is as long as Content-Length says."),
    Rule("record-end", "error", "4", "A block is followed by CR LF CR LF and nothing else."),
)

_FIELDS: tuple[Rule, ...] = (
    Rule("field-missing", "error", "5, 6", "A record has the fields that its type requires."),
    Rule("field-forbidden", "error", "5", "A record has no field that its type must not have."),
    Rule("field-undefined", "warning", "5.18", "WARC-Profile has a meaning in revisit records only."),
    Rule("type-unknown", "info", "5.5", "The record is of a type defined elsewhere; readers ignore it."),
    Rule("record-id", "error", "5.2", "WARC-Record-ID is a URI in angle brackets."),
    Rule("record-reference", "error", "5.7, 5.11, 5.16, 5.21", "A reference to a record is a URI in angle brackets."),
    Rule("date", "error", "5.4", "A date is a UTC time in the W3C profile of ISO 8601."),
    Rule("date-precision", "warning", "WARC 1.0, 5.4", "Before WARC 1.1 a date has seconds, no more and no less."),
    Rule("date-future", "warning", "5.4", "A record was not captured in the future."),
    Rule("date-early", "info", "5.4", "Nothing was captured from the web before there was one."),
    Rule("uri", "error", "5.14, RFC 3986", "A URI has a scheme and no white space."),
    # Crawlers write URIs as they met them; every reader copes.
    Rule("uri-characters", "warning", "5.14, RFC 3986", "A URI holds none but the characters allowed in one."),
    Rule("uri-brackets", "error", "4, 5.14", "Since WARC 1.1, angle brackets surround record ids only."),
    Rule("digest-form", "error", "5.8, 5.9", "A digest is an algorithm, a colon and a value of that algorithm's size."),
    Rule("digest-algorithm", "info", "5.8, 5.9", "The digest is of an algorithm that cannot be computed here."),
    Rule("ip-address", "error", "5.10", "WARC-IP-Address is an IPv4 or IPv6 address, without brackets."),
    Rule("media-type", "error", "5.6, 5.19", "A media type is type/subtype, with parameters."),
    Rule("content-type-missing", "warning", "5.6", "A block has a Content-Type (except in continuation records)."),
    Rule("content-type-warcinfo", "warning", "6.2", "The block of a warcinfo is application/warc-fields."),
    Rule(
        "content-type-msgtype", "error", "5.6, 6.3.2", "The msgtype of application/http is that of the record's type."
    ),
    Rule("content-type-http", "warning", "6.3.2, 6.5.2", "What was captured over HTTP is application/http."),
    Rule("content-type-dns", "error", "6.4.4", "A resource of the dns scheme is text/dns."),
    Rule("truncated-reason", "error", "5.15", "WARC-Truncated is a token."),
    Rule("truncated-unknown", "info", "5.15", "WARC-Truncated gives a reason defined elsewhere."),
    Rule(
        "profile-unknown", "info", "5.18", "The revisit is of a profile defined elsewhere; readers do not interpret it."
    ),
    Rule("profile-digest", "error", "6.7.2", "An identical-payload revisit has a WARC-Payload-Digest."),
    Rule(
        "profile-truncated", "warning", "6.7.2", "A block cut because its payload is known says WARC-Truncated: length."
    ),
    Rule("revisit-reference", "warning", "6.7", "A revisit names the record it stands for."),
    Rule("revisit-triple", "info", "6.7", "A revisit names the original's record id, target URI and date."),
    Rule("conversion-reference", "warning", "6.8", "A conversion names the record it was made from."),
    Rule("integer", "error", "5.20, 5.22", "A segment's number and the total length are numbers in digits."),
    Rule("segment-number", "error", "5.20, 7", "The first segment has number 1, continuations 2 and up."),
    Rule("segment-order", "error", "5.20, 7", "Each segment's number is one more than that of the segment before."),
    Rule("segment-uri", "error", "7", "All segments of a record have the same WARC-Target-URI."),
    Rule("segment-total", "error", "5.22, 7", "The total length is that of all segments' blocks together."),
    Rule("segment-open", "info", "7", "A segmented record does not begin, or does not end, in this file."),
)

_CONTENT: tuple[Rule, ...] = (
    Rule("block-digest", "error", "5.8", "The block has the digest that its header gives."),
    Rule("payload-digest", "error", "5.9", "The payload has the digest that its header gives."),
    # Older writers digest a chunked body as it stands: the bytes are sound, the label is not.
    Rule("payload-digest-chunked", "warning", "5.9", "The payload is digested without its transfer coding."),
    Rule("payload-digest-truncated", "warning", "5.9, 6.3.2", "The payload of a truncated record ends where it ends."),
    Rule("http-head", "warning", "6.3.2, 6.5.2", "A block of application/http holds an HTTP message."),
    Rule("http-head-cut", "warning", "6.3.2", "A response cut inside its head says WARC-Truncated."),
    Rule("http-body-short", "warning", "6.3.2", "A response cut inside its body says WARC-Truncated."),
    Rule("http-body-long", "warning", "6.3.2", "A response ends where its own framing says."),
    Rule("id-repeated", "error", "5.2", "No two records have the same WARC-Record-ID."),
    Rule("record-copied", "info", "5.2", "The same record stands in the file more than once."),
    Rule("concurrent-date", "warning", "5.4", "All records of one capture event have the same WARC-Date."),
    Rule("reference-outside", "info", "5.7, 5.11, 5.16", "A record refers to one that is not in this file."),
    Rule("reference-type", "info", "5.16", "WARC-Warcinfo-ID names a warcinfo record."),
)

_ARCHIVE: tuple[Rule, ...] = (
    Rule("manifest-missing", "error", "newswarc", "Every WARC file has a manifest, published after it."),
    Rule("manifest-form", "error", "newswarc", "A manifest can be read."),
    Rule("manifest-differs", "error", "newswarc", "A manifest says what the WARC file gives."),
    Rule("warc-missing", "error", "newswarc", "Every manifest has its WARC file."),
    Rule("warc-size", "error", "newswarc", "A WARC file has the size that its manifest gives."),
    Rule("warc-sha256", "error", "newswarc", "A WARC file has the SHA-256 that its manifest gives."),
    Rule("index-missing", "error", "newswarc", "Every WARC file of captures has an index segment."),
    Rule("index-differs", "error", "newswarc", "An index segment holds what the WARC file gives, sorted."),
    Rule("object-unreadable", "error", "newswarc", "Every object can be read."),
    Rule("object-stray", "warning", "newswarc", "Every object belongs to a segment or to a crawl's reports."),
    Rule("archive-empty", "warning", "newswarc", "An archive holds something."),
    Rule("revisit-unresolved", "error", "6.7", "A revisit stands for a response that is in the archive."),
    # Files of other tools are imported one by one; the one that holds the original may not have been.
    Rule("revisit-elsewhere", "warning", "6.7", "An imported revisit stands for a response that is in the archive."),
    Rule("imported-faults", "info", "newswarc", "An imported file has no faults but those it was imported with."),
    Rule("original-differs", "error", "newswarc", "The bytes of an imported file are those that were given."),
    Rule("article-unresolved", "error", "6.8", "An article was extracted from a capture that is in the archive."),
    Rule("article-form", "error", "newswarc", "An article record holds an article of the record it refers to."),
    Rule("reference-unresolved", "warning", "5.7, 5.16", "A record refers to records that are in the archive."),
    Rule(
        "merged-differs", "error", "newswarc", "The merged index is the one its list describes, of segments there are."
    ),
    Rule("catalog-differs", "error", "newswarc", "The catalogue holds nothing but what the WARC files give."),
    # Another machine may have written to the same bucket: the catalogue is a cache of what this one knows.
    Rule("catalog-behind", "warning", "newswarc", "The catalogue holds all that the WARC files give."),
)

# WACZ 1.1.1 (specs.webrecorder.net/wacz/1.1.1); what it leaves open and players rely on is ours.
_WACZ: tuple[Rule, ...] = (
    Rule("wacz-zip", "error", "WACZ 1.1.1, Zip", "A WACZ package is a zip file."),
    Rule("wacz-duplicate", "error", "WACZ 1.1.1, Zip", "No name stands twice in the package."),
    Rule("wacz-path", "error", "WACZ 1.1.1, Zip", "No entry leads out of the package."),
    Rule("wacz-encrypted", "error", "WACZ 1.1.1, Zip", "No entry is encrypted."),
    Rule("wacz-stored", "error", "WACZ 1.1.1, Zip", "WARC files and the compressed index are stored, not deflated."),
    Rule("wacz-local-header", "error", "APPNOTE 4.3", "Each entry has its own header where the directory says."),
    # ReplayWeb.page reckons with the directory's length alone, and finds no record where they differ.
    Rule("wacz-local-extra", "warning", "newswarc", "An entry's header is as long as the directory makes it."),
    Rule("wacz-entry", "error", "APPNOTE 4.3", "Each entry can be unpacked and has its CRC."),
    Rule("wacz-datapackage", "error", "WACZ 1.1.1, datapackage.json", "The package has a datapackage.json."),
    Rule("wacz-version", "error", "WACZ 1.1.1, datapackage.json", "It says which version of WACZ it follows."),
    Rule("wacz-profile", "warning", "WACZ 1.1.1, datapackage.json", "Its profile is data-package."),
    Rule("wacz-resource-missing", "error", "WACZ 1.1.1, datapackage.json", "Every resource is in the package."),
    Rule("wacz-resource-size", "error", "WACZ 1.1.1, datapackage.json", "A resource has the bytes that are stated."),
    Rule("wacz-resource-digest", "error", "WACZ 1.1.1, datapackage.json", "A resource has the hash that is stated."),
    Rule("wacz-unlisted", "error", "WACZ 1.1.1, datapackage.json", "Every file of the package is a resource."),
    Rule("wacz-no-digest", "warning", "WACZ 1.1.1, datapackage-digest.json", "The package has the digest of it."),
    Rule("wacz-datapackage-digest", "error", "WACZ 1.1.1, datapackage-digest.json", "It is that of datapackage.json."),
    Rule("wacz-no-warc", "error", "WACZ 1.1.1, archive", "There is a WARC file in archive/."),
    Rule("wacz-no-index", "error", "WACZ 1.1.1, indexes", "There is an index of the WARC files."),
    Rule("wacz-no-blocks", "error", "WACZ 1.1.1, indexes", "A compressed index has a list of its blocks."),
    Rule("wacz-index-block", "error", "WACZ 1.1.1, indexes", "The list of blocks fits the index."),
    Rule("wacz-index-line", "error", "WACZ 1.1.1, indexes", "The lines of the index are CDXJ."),
    Rule("wacz-index-order", "error", "WACZ 1.1.1, indexes", "The lines of the index are sorted by key and time."),
    Rule("wacz-index-place", "error", "WACZ 1.1.1, indexes", "Each line points to a capture in a WARC file."),
    Rule("wacz-index-url", "error", "WACZ 1.1.1, indexes", "Each line has the address of the capture it points to."),
    Rule("wacz-unindexed", "warning", "newswarc", "Every capture is in the index: players find no other."),
    Rule("wacz-no-pages", "error", "WACZ 1.1.1, pages", "The package has a list of pages."),
    Rule("wacz-page", "error", "WACZ 1.1.1, pages", "Pages are JSON lines, after a header, with url and ts."),
    Rule("wacz-page-unknown", "warning", "newswarc", "Every page was captured."),
)

RULES: Final[dict[str, Rule]] = {
    rule.code: rule for rule in (*_FILE, *_STRUCTURE, *_FIELDS, *_CONTENT, *_WACZ, *_ARCHIVE)
}
