"""Reading what was just written, wherever its file stands at the moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive import names
from archive.archive import Archive
from archive.errors import ObjectMissing
from archive.place import Place
from tests.archive.exchanges import filled


class Site:
    """An archive whose one WARC file is still being written, in its session's directory."""

    def __init__(self, folder: Path) -> None:
        self.archive = Archive.open(str(folder / "archive"))
        made, starts = filled(folder, 1)
        key = names.keys(made.stem).warc
        self.place = Place(key, starts[1], starts[2] - starts[1])
        self.open = self.archive.sessions_dir / "one" / made.path.name
        self.sealed = self.open.with_name(made.path.name.removesuffix(names.OPEN_SUFFIX))
        self.published = folder / "archive" / key
        for path in (self.open, self.published):
            path.parent.mkdir(parents=True)
        self.open.write_bytes(made.path.read_bytes())
        made.discard()

    def seal(self) -> None:
        self.open.rename(self.sealed)

    def publish(self) -> None:
        (self.open if self.open.exists() else self.sealed).rename(self.published)

    def read(self) -> str:
        with self.archive.read(self.place) as record:
            return record.id


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_record_is_found_while_it_is_written_when_it_is_sealed_and_once_it_is_published(site: Site):
    ids = [site.read()]
    site.seal()
    ids.append(site.read())
    site.publish()
    ids.append(site.read())
    assert len(set(ids)) == 1


def test_a_record_published_between_two_looks_is_found(site: Site, monkeypatch: pytest.MonkeyPatch):
    expected = site.read()
    held = site.archive._held
    monkeypatch.setattr(site.archive, "_held", lambda place: (site.publish(), held(place))[1])
    assert site.read() == expected


def test_a_file_sealed_between_two_looks_is_found(site: Site, monkeypatch: pytest.MonkeyPatch):
    expected = site.read()
    opened = Path.open

    def sealed_meanwhile(path: Path, *mode: str) -> object:
        if path == site.open and path.exists():
            site.seal()
        return opened(path, *mode)

    monkeypatch.setattr(Path, "open", sealed_meanwhile)
    assert site.read() == expected


def test_a_record_that_is_nowhere_is_missing(site: Site):
    site.open.unlink()
    with pytest.raises(ObjectMissing):
        site.read()


def test_a_key_is_no_pattern(site: Site):
    with pytest.raises(ObjectMissing):
        site.archive.read(Place("warc/2026/11/21/*.warc.gz", 0, 10))
