from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archive.errors import LocationError
from archive.storage.local import LocalStorage
from archive.storage.opening import open_storage, parse_s3
from archive.storage.options import S3Options

BAD = [
    "",
    "   ",
    "ftp://host/archive",
    "http://127.0.0.1/archive",
    "s3:bucket",
    "s3:/bucket/prefix",
    "s3://",
    "s3:///prefix",
    "s3://a/b",
    "s3://bucket/../other",
    "s3://bucket/a//b",
    "s3://bucket/.newswarc",
    "s3://bucket/a\nb",
    "s3://key:hush@bucket/prefix",
    "s3://bucket:9000/prefix",
    "file://elsewhere/archive",
    "file:archive",
    "file:///a%00b",
    "a\0b",
    "~nobody-of-this-name/archive",
]


@pytest.mark.parametrize("location", BAD)
def test_a_location_that_cannot_be_understood_is_refused_in_one_line(location: str):
    with pytest.raises(LocationError) as caught:
        open_storage(location)
    assert "\n" not in str(caught.value)


def test_a_foreign_scheme_is_told_what_to_give_instead():
    with pytest.raises(LocationError) as caught:
        open_storage("ftp://x")
    assert str(caught.value) == "ftp://x: not a place an archive can lie in; give a directory or s3://bucket/prefix"


@pytest.mark.parametrize("location", ["s3://key:hush@bucket/prefix", "https://user:hush@host/x"])
def test_a_secret_in_a_location_is_not_repeated(location: str):
    with pytest.raises(LocationError) as caught:
        open_storage(location)
    assert "hush" not in str(caught.value)


def test_a_directory_is_opened_without_being_made(tmp_path: Path):
    storage = open_storage(str(tmp_path / "new"))
    assert storage.location == str(tmp_path / "new")
    assert list(storage.list()) == []
    assert storage.stat("warc/x") is None
    assert not (tmp_path / "new").exists()


def test_a_file_address_is_a_directory(tmp_path: Path):
    storage = open_storage(f"file://{tmp_path}/with%20space")
    assert isinstance(storage, LocalStorage)
    assert storage.root == tmp_path / "with space"


def test_a_file_is_not_an_archive(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LocationError, match="is a file"):
        open_storage(str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("location", "parts"),
    [
        ("s3://news", ("news", "")),
        ("s3://news/", ("news", "")),
        ("S3://news/mt/2026/", ("news", "mt/2026")),
        ("s3://Old_Bucket.x/é", ("Old_Bucket.x", "é")),
    ],
)
def test_bucket_and_prefix_are_told_apart(location: str, parts: tuple[str, str]):
    assert parse_s3(location) == parts


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint_url": "127.0.0.1:9000"},
        {"access_key_id": "only"},
        {"secret_access_key": "only"},
        {"addressing_style": "sideways"},
        {"part_bytes": 1},
        {"part_bytes": 6 << 30},
        {"timeout_s": 0},
        {"patience_s": -1},
        {"backoff_s": 0},
        {"attempts": 0},
    ],
)
def test_options_no_service_could_work_with_are_refused(wrong: dict[str, object]):
    with pytest.raises(LocationError):
        S3Options(**wrong)  # type: ignore[arg-type]


def test_unusable_s3_configuration_is_a_location_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(LocationError, match="Invalid endpoint"):
        open_storage("s3://bucket", s3=S3Options(endpoint_url="http://not a host"))
    with pytest.raises(LocationError, match="certificates"):
        open_storage("s3://bucket", s3=S3Options(ca_file=tmp_path / "none.pem"))
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(LocationError, match="no-such-profile"):
        open_storage("s3://bucket")


def test_secrets_do_not_show_in_the_options():
    options = S3Options(access_key_id="AKIA", secret_access_key="hush", session_token="hush-too")
    assert "hush" not in repr(options)


def test_a_local_archive_does_not_load_boto3():
    code = (
        "import sys; from archive.storage.opening import open_storage; open_storage('.');"
        "sys.exit(any(name.partition('.')[0] in ('boto3', 'botocore') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
