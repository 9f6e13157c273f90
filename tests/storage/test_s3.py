from __future__ import annotations

import functools
import inspect
import io
import logging
import os
import string
import threading
import time
from collections.abc import Callable
from pathlib import Path

import botocore.exceptions
import pytest
from botocore.parsers import ResponseParserError
from urllib3.exceptions import ProtocolError

from archive.errors import (
    ObjectConflict,
    ObjectDamaged,
    ObjectMissing,
    StorageError,
    StorageRefused,
    StorageUnavailable,
)
from archive.storage.s3 import S3Options, S3Storage
from archive.storage.s3.multipart import STALE_S, abort_stale_uploads
from tests.servers.fault_proxy import FaultProxy, Faults
from tests.servers.s3_stub import Answer, S3Stub
from tests.servers.weed import SECRET_KEY, Weed, free_ports
from tests.storage.conftest import sha256

Connect = Callable[..., S3Storage]
KEY = "warc/2026/11/21/newswarc-x.warc.gz"
LARGE = os.urandom(11 << 20)  # three parts of five MiB


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.storage.s3.calling.LONGEST_PAUSE_S", 0.02)


@pytest.fixture
def storage(weed: Weed, bucket: str, connect: Connect) -> S3Storage:
    return connect(weed.endpoint, bucket, "archives/mt")


def put(storage: S3Storage, key: str, data: bytes) -> None:
    storage.put(key, data, sha256=sha256(data))


def stored_keys(weed: Weed, bucket: str) -> list[str]:
    client = weed.client()
    try:
        return [item["Key"] for item in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
    finally:
        client.close()


# ---- a good service


@pytest.mark.s3
def test_what_is_put_is_read_listed_and_known(storage: S3Storage, weed: Weed, bucket: str):
    put(storage, KEY, b"some bytes")
    assert storage.location == f"s3://{bucket}/archives/mt"
    assert stored_keys(weed, bucket) == [f"archives/mt/{KEY}"]
    assert storage.read(KEY) == b"some bytes"
    assert storage.read(KEY, 5) == b"bytes"
    assert storage.read(KEY, 5, 2) == b"by"
    assert storage.read(KEY, 8, 100) == b"es"
    assert storage.read(KEY, 100, 5) == b""
    assert storage.read(KEY, 5, 0) == b""
    found = storage.stat(KEY)
    assert found is not None
    assert (found.size, found.sha256) == (10, sha256(b"some bytes"))
    assert [(item.key, item.size) for item in storage.list("warc/2026")] == [(KEY, 10)]
    assert list(storage.list("articles/")) == []


@pytest.mark.s3
def test_a_large_file_goes_up_in_parts_and_is_confirmed(storage: S3Storage, weed: Weed, bucket: str, tmp_path: Path):
    source = tmp_path / "large"
    source.write_bytes(LARGE)
    storage.put(KEY, source, sha256=sha256(LARGE))
    client = weed.client()
    head = client.head_object(Bucket=bucket, Key=f"archives/mt/{KEY}", ChecksumMode="ENABLED")
    client.close()
    assert head["ChecksumSHA256"].endswith("-3")
    found = storage.stat(KEY)
    assert found is not None
    assert (found.size, found.sha256) == (len(LARGE), sha256(LARGE))
    assert storage.read(KEY) == LARGE
    storage.put(KEY, source, sha256=sha256(LARGE))  # the same again is success
    assert weed.open_uploads(bucket) == []


@pytest.mark.s3
def test_a_stream_reads_seeks_and_ends_like_a_file(storage: S3Storage):
    put(storage, KEY, LARGE)
    file = io.BytesIO(LARGE)
    with storage.open(KEY) as stream:
        for offset, whence, length in [(0, 0, 10), (5 << 20, 0, 300_000), (-7, 2, 100), (100, 0, 1), (3 << 20, 1, 5)]:
            assert stream.seek(offset, whence) == file.seek(offset, whence)
            assert stream.read(length) == file.read(length)
        stream.seek(0)
        assert stream.read() == LARGE
        assert stream.read() == b""


@pytest.mark.s3
@pytest.mark.parametrize("data", [b"", b"first", LARGE], ids=["empty", "small", "large"])
def test_other_bytes_never_overwrite(storage: S3Storage, weed: Weed, bucket: str, data: bytes):
    put(storage, KEY, data)
    put(storage, KEY, data)
    for other in (b"other", b"fir5t", LARGE[:-1] + bytes([LARGE[-1] ^ 1])):
        with pytest.raises(ObjectConflict) as caught:
            put(storage, KEY, other)
        assert caught.value.stored == sha256(data)
    assert storage.read(KEY) == data
    assert weed.open_uploads(bucket) == []


@pytest.mark.s3
def test_an_object_of_the_same_bytes_sent_by_another_tool_is_success(storage: S3Storage, weed: Weed, bucket: str):
    client = weed.client()
    client.put_object(Bucket=bucket, Key=f"archives/mt/{KEY}", Body=b"plain", Metadata={"sha256": sha256(b"a lie")})
    client.close()
    put(storage, KEY, b"plain")
    with pytest.raises(ObjectConflict) as caught:
        put(storage, KEY, b"plAin")
    assert caught.value.stored == sha256(b"plain")


@pytest.mark.s3
@pytest.mark.parametrize("data", [b"second", LARGE], ids=["small", "large"])
def test_a_rebuilt_object_replaces_the_old_one(storage: S3Storage, data: bytes):
    put(storage, "index/a.cdxj", b"first")
    storage.put("index/a.cdxj", data, sha256=sha256(data), replace=True)
    assert storage.read("index/a.cdxj") == data


@pytest.mark.s3
@pytest.mark.parametrize("data", [b"changed", LARGE], ids=["small", "large"])
def test_bytes_that_do_not_match_their_digest_are_not_stored(
    storage: S3Storage, weed: Weed, bucket: str, tmp_path: Path, data: bytes
):
    source = tmp_path / "source"
    source.write_bytes(data)
    with pytest.raises(ObjectDamaged, match="not stored"):
        storage.put(KEY, source, sha256=sha256(b"promised"))
    assert storage.stat(KEY) is None
    assert weed.open_uploads(bucket) == []


@pytest.mark.s3
def test_two_writers_of_one_key_do_not_overwrite_each_other(weed: Weed, bucket: str, connect: Connect):
    storages = [connect(weed.endpoint, bucket) for _ in range(4)]
    outcomes: list[object] = []

    def write(storage: S3Storage, data: bytes) -> None:
        try:
            put(storage, KEY, data)
            outcomes.append(data)
        except StorageError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=write, args=(s, bytes([n]) * 1000)) for n, s in enumerate(storages)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome for outcome in outcomes if isinstance(outcome, bytes)] == [storages[0].read(KEY)]
    assert sum(isinstance(outcome, ObjectConflict) for outcome in outcomes) == 3


@pytest.mark.s3
def test_what_is_not_there_is_missing(storage: S3Storage, tmp_path: Path):
    assert storage.stat(KEY) is None
    for act in (lambda: storage.read(KEY), lambda: storage.read(KEY, 1, 2), lambda: storage.open(KEY)):
        with pytest.raises(ObjectMissing):
            act()
    with pytest.raises(ObjectMissing):
        storage.read(KEY, 0, 0)
    with pytest.raises(ObjectMissing, match="no object gone"):
        storage.put(KEY, tmp_path / "gone", sha256=sha256(b""))
    storage.delete(KEY)
    for key in ("../x", "/x", "a//b", "a\nb"):
        with pytest.raises(StorageRefused):
            put(storage, key, b"x")


@pytest.mark.s3
def test_the_list_is_in_byte_order_whatever_the_service_does(storage: S3Storage):
    keys = ["crawls/mt/a", "crawls/mt-daily/a", "crawls/mt.old", "crawls/mt0", "crawls/é", "crawls/𝄞", "crawls/\uffff"]
    for key in keys:
        put(storage, key, b"x")
    put(storage, ".newswarc/x", b"x")
    assert [item.key for item in storage.list()] == sorted(keys, key=str.encode)
    assert [item.key for item in storage.list("crawls/mt")] == [
        "crawls/mt-daily/a",
        "crawls/mt.old",
        "crawls/mt/a",
        "crawls/mt0",
    ]


@pytest.mark.s3
def test_more_objects_than_a_page_holds_are_all_listed(storage: S3Storage, monkeypatch: pytest.MonkeyPatch):
    keys = [f"index/{number:02d}" for number in range(10)]
    for key in keys:
        put(storage, key, b"")
    client = storage._bucket.caller.client
    monkeypatch.setattr(client, "list_objects_v2", functools.partial(client.list_objects_v2, MaxKeys=3))
    assert [item.key for item in storage.list("index/")] == keys


# ---- probing


@pytest.mark.s3
def test_a_full_service_has_no_shortcomings_and_probing_leaves_nothing(storage: S3Storage, weed: Weed, bucket: str):
    assert storage.probe() == []
    assert stored_keys(weed, bucket) == []


@pytest.mark.parametrize("refuse", [False, True], ids=["ignores conditions", "answers 501"])
def test_a_service_without_conditions_and_checksums_is_found_out(
    connect: Connect, refuse: bool, caplog: pytest.LogCaptureFixture
):
    with S3Stub(refuse_conditions=refuse) as stub:
        storage = connect(stub.endpoint, "bucket")
        with caplog.at_level(logging.WARNING, "archive.storage.s3"):
            put(storage, KEY, b"first")  # the first write probes
            put(storage, "warc/second", b"second")
        assert len(caplog.records) == 1
        sentences = storage.probe()
        assert any("If-None-Match" in sentence for sentence in sentences)
        assert any("SHA-256" in sentence for sentence in sentences)
        assert set(stub.objects) == {f"/bucket/{KEY}", "/bucket/warc/second"}

        put(storage, KEY, b"first")
        with pytest.raises(ObjectConflict):
            put(storage, KEY, b"other")
        assert stub.objects[f"/bucket/{KEY}"] == b"first"


def test_without_checksums_every_write_is_read_back(connect: Connect):
    with S3Stub() as stub:
        storage = connect(stub.endpoint, "bucket")
        put(storage, "a", b"first")
        stub.script = lambda method, path: (
            (200, {"ETag": '"0"'}, b"firsT") if (method, path) == ("GET", "/bucket/b") else None
        )
        with pytest.raises(ObjectDamaged, match="reads back"):
            put(storage, "b", b"first")


@pytest.mark.s3
def test_probing_stands_unreliable_answers(weed: Weed, bucket: str, connect: Connect):
    for seed in range(4):
        with FaultProxy(weed.port, Faults(seed=seed, drop_share=0.4, error_share=0.2)) as proxy:
            assert connect(proxy.endpoint, bucket).probe() == []
    assert stored_keys(weed, bucket) == []


@pytest.mark.s3
def test_the_leftover_uploads_of_a_crash_are_aborted_but_not_those_of_others(
    storage: S3Storage, weed: Weed, bucket: str
):
    client = weed.client()
    for key in (KEY, "warc/newswarc-old.warc.gz", "warc/not-ours"):
        begun = client.create_multipart_upload(Bucket=bucket, Key=f"archives/mt/{key}")
        client.upload_part(
            Bucket=bucket, Key=f"archives/mt/{key}", UploadId=begun["UploadId"], PartNumber=1, Body=b"half"
        )
    client.create_multipart_upload(Bucket=bucket, Key="elsewhere/newswarc-1.warc.gz")
    client.close()

    assert abort_stale_uploads(storage._bucket, older_than_s=STALE_S) == []  # they may be someone's, at work
    put(storage, KEY, LARGE)  # the same object again: its upload was ours
    assert sorted(weed.open_uploads(bucket)) == [
        "archives/mt/warc/newswarc-old.warc.gz",
        "archives/mt/warc/not-ours",
        "elsewhere/newswarc-1.warc.gz",
    ]
    assert abort_stale_uploads(storage._bucket, older_than_s=0) == ["warc/newswarc-old.warc.gz"]
    assert sorted(weed.open_uploads(bucket)) == ["archives/mt/warc/not-ours", "elsewhere/newswarc-1.warc.gz"]


# ---- a bad day


@pytest.mark.s3
def test_errors_to_one_request_in_three_lose_nothing(weed: Weed, bucket: str, connect: Connect):
    faults = Faults(seed=3, error_share=1 / 3, statuses=(503, 500, 409, 507, 429))
    with FaultProxy(weed.port, faults) as proxy:
        storage = connect(proxy.endpoint, bucket)
        for number in range(60):
            put(storage, f"warc/{number:03d}", b"%d" % number)
        put(storage, "warc/large", LARGE)
        assert [storage.read(f"warc/{number:03d}") for number in range(60)] == [b"%d" % n for n in range(60)]
        assert storage.read("warc/large") == LARGE
        assert {"503", "500", "409", "507", "429"} <= set(proxy.counts)
    assert weed.open_uploads(bucket) == []


@pytest.mark.s3
def test_answers_lost_after_storing_are_no_conflicts(weed: Weed, bucket: str, connect: Connect):
    with FaultProxy(weed.port, Faults(seed=5, drop_share=0.5)) as proxy:
        storage = connect(proxy.endpoint, bucket)
        for number in range(200):
            put(storage, f"warc/{number:03d}", b"%d" % number)  # raises on a false conflict
        dropped = proxy.counts["drop"]
    assert dropped > 150
    assert len(stored_keys(weed, bucket)) == 200


@pytest.mark.s3
def test_multipart_uploads_survive_lost_answers_and_leave_none_open(weed: Weed, bucket: str, connect: Connect):
    with FaultProxy(weed.port, Faults(seed=8, drop_share=0.4, methods=frozenset({"POST", "PUT", "DELETE"}))) as proxy:
        storage = connect(proxy.endpoint, bucket)
        for number in range(3):
            put(storage, f"warc/{number}", LARGE)
        assert proxy.counts["drop"] > 5
    assert weed.open_uploads(bucket) == []
    assert connect(weed.endpoint, bucket).read("warc/2") == LARGE


@pytest.mark.s3
def test_cut_uploads_leave_no_half_object(weed: Weed, bucket: str, connect: Connect):
    with FaultProxy(weed.port, Faults(seed=2, cut_share=0.4, methods=frozenset({"PUT", "POST"}))) as proxy:
        storage = connect(proxy.endpoint, bucket)
        objects = {f"warc/{number:03d}": os.urandom(200_000) for number in range(20)}
        for key, data in objects.items():
            put(storage, key, data)
        put(storage, "warc/large", LARGE)
        assert proxy.counts["cut"] > 8
    direct = connect(weed.endpoint, bucket)
    assert {item.key: direct.read(item.key) for item in direct.list("warc/0")} == objects
    assert direct.read("warc/large") == LARGE
    assert weed.open_uploads(bucket) == []


@pytest.mark.s3
def test_an_upload_given_up_leaves_no_object_and_no_open_upload(weed: Weed, bucket: str, connect: Connect):
    with FaultProxy(weed.port) as proxy:
        storage = connect(proxy.endpoint, bucket, attempts=2)
        storage.probe()
        proxy.set(Faults(cut_share=1.0, methods=frozenset({"PUT"})))
        with pytest.raises(StorageUnavailable, match="try again later"):
            put(storage, KEY, LARGE)
        with pytest.raises(StorageUnavailable):
            put(storage, "warc/small", b"small")
    assert stored_keys(weed, bucket) == []
    assert weed.open_uploads(bucket) == []


@pytest.mark.s3
def test_bit_flips_on_the_way_are_asked_for_again(weed: Weed, bucket: str, connect: Connect):
    with FaultProxy(weed.port) as proxy:
        storage = connect(proxy.endpoint, bucket)
        put(storage, KEY, b"x" * 10_000)
        proxy.set(Faults(seed=4, flip_share=0.5, methods=frozenset({"GET"})))
        assert storage.read(KEY) == b"x" * 10_000
        proxy.set(Faults(seed=4, flip_share=1.0, methods=frozenset({"GET"})))
        with pytest.raises(ObjectDamaged, match=r"checksum|reads back"):
            storage.read(KEY)
        # Part of an object has no digest the store could know: the caller's own tells.
        assert storage.read(KEY, 100, 50) != b"x" * 50


@pytest.mark.s3
def test_answers_that_end_early_are_asked_for_again(weed: Weed, bucket: str, connect: Connect):
    with FaultProxy(weed.port) as proxy:
        storage = connect(proxy.endpoint, bucket, attempts=8)
        put(storage, KEY, LARGE)
        proxy.set(Faults(seed=1, short_share=0.5, methods=frozenset({"GET"})))
        with storage.open(KEY) as stream:
            assert stream.read() == LARGE
        assert proxy.counts["short"] > 2
        proxy.set(Faults(seed=1, short_share=1.0, methods=frozenset({"GET"})))
        with pytest.raises((StorageUnavailable, ObjectDamaged)):
            storage.read(KEY, 1000, 5000)


def test_a_consistent_answer_that_is_too_short_is_damage(connect: Connect):
    with S3Stub() as stub:
        stub.script = lambda method, path: (206, {"ETag": '"0"', "Content-Range": "bytes 5-7/1000"}, b"abc")
        with pytest.raises(ObjectDamaged, match="100 bytes asked for, 3 came"):
            connect(stub.endpoint, "bucket").read("a", 5, 100)
        stub.script = lambda method, path: (206, {"ETag": '"0"', "Content-Range": "bytes 0-2/1000"}, b"abc")
        with pytest.raises(ObjectDamaged, match="asked from 5"):
            connect(stub.endpoint, "bucket").read("a", 5, 3)


def test_a_service_that_ignores_ranges_is_read_right_all_the_same(connect: Connect):
    with S3Stub() as stub:
        stub.objects["/bucket/a"] = b"0123456789"
        storage = connect(stub.endpoint, "bucket")
        assert storage.read("a", 3, 4) == b"3456"
        with storage.open("a") as stream:
            stream.seek(8)
            assert stream.read() == b"89"


@pytest.mark.s3
@pytest.mark.slow
def test_a_service_killed_and_started_again_loses_nothing(weed: Weed, bucket: str, connect: Connect):
    storage = connect(weed.endpoint, bucket, timeout_s=5.0)
    done: list[str] = []
    errors: list[StorageError] = []
    under_way = threading.Event()

    def write() -> None:
        try:
            for number in range(150):
                key = f"warc/{number:03d}"
                put(storage, key, key.encode() * 500)
                done.append(key)
                if number == 30:
                    under_way.set()
        except StorageError as error:
            errors.append(error)
            under_way.set()

    thread = threading.Thread(target=write)
    thread.start()
    under_way.wait()
    weed.kill()
    acknowledged = len(done)
    time.sleep(0.5)
    weed.start()
    thread.join()
    assert errors == []
    assert 30 <= acknowledged < 150
    assert len(done) == 150
    for key in done:
        assert storage.read(key) == key.encode() * 500
    assert weed.open_uploads(bucket) == []


@pytest.mark.s3
def test_an_outage_shorter_than_the_patience_is_waited_out(weed: Weed, bucket: str, connect: Connect):
    with FaultProxy(weed.port) as proxy:
        storage = connect(proxy.endpoint, bucket)
        storage.probe()
        with proxy.down():
            thread = threading.Thread(target=put, args=(storage, KEY, b"x"))
            thread.start()
            while proxy.counts["down"] < 4:
                time.sleep(0.01)
        thread.join()
        assert storage.read(KEY) == b"x"


def test_the_pause_a_service_asks_for_is_kept(connect: Connect, monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []
    monkeypatch.setattr("archive.storage.s3.calling.time.sleep", pauses.append)
    left = [503, 429]

    def script(method: str, path: str) -> Answer | None:
        return (left.pop(), {"Retry-After": "7"}, b"") if left else None

    with S3Stub() as stub:
        stub.objects["/bucket/a"] = b"x"
        stub.script = script
        assert connect(stub.endpoint, "bucket").read("a") == b"x"
        assert pauses == [7.0, 7.0]
        left[:] = [503]
        with pytest.raises(StorageUnavailable, match="come back in 7 s"):
            connect(stub.endpoint, "bucket", patience_s=5.0).read("a")


def test_patience_never_runs_out_early_however_many_calls_failed(connect: Connect, monkeypatch: pytest.MonkeyPatch):
    """A quota as boto's own retries have would be empty after some twenty failures."""
    monkeypatch.setattr("archive.storage.s3.calling.time.sleep", lambda _: None)
    count = 0

    def script(method: str, path: str) -> Answer | None:
        nonlocal count
        count += 1
        return (503, {}, b"") if count % 5 else None

    with S3Stub() as stub:
        stub.objects["/bucket/a"] = b"x"
        stub.script = script
        storage = connect(stub.endpoint, "bucket")
        for _ in range(40):
            assert storage.read("a") == b"x"
    assert count == 200


# ---- what must be told to the user


def refused(storage: S3Storage) -> str:
    with pytest.raises(StorageRefused) as caught:
        storage.put(KEY, b"x", sha256=sha256(b"x"))
    assert "\n" not in str(caught.value)
    assert SECRET_KEY not in str(caught.value)
    return str(caught.value)


@pytest.mark.s3
def test_wrong_configuration_is_told_with_what_to_do(
    weed: Weed, bucket: str, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    assert "AWS_SECRET_ACCESS_KEY" in refused(connect(weed.endpoint, bucket, secret_access_key="wrong"))
    assert "AWS_ACCESS_KEY_ID" in refused(connect(weed.endpoint, bucket, access_key_id="nobody"))
    message = refused(connect(weed.endpoint, "no-such-bucket"))
    assert f"s3://no-such-bucket at {weed.endpoint}" in message
    assert "there is no bucket no-such-bucket; make it" in message
    assert "https" in refused(connect(weed.endpoint.replace("http:", "https:"), bucket))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert "no usable credentials" in refused(
        connect(weed.endpoint, bucket, access_key_id=None, secret_access_key=None)
    )


@pytest.mark.s3
def test_a_missing_bucket_is_never_taken_for_a_missing_object_or_made(weed: Weed, connect: Connect):
    storage = connect(weed.endpoint, "never-made")
    for act in (lambda: storage.stat(KEY), lambda: storage.read(KEY), lambda: list(storage.list())):
        with pytest.raises(StorageRefused, match="never-made"):
            act()
    with pytest.raises(StorageRefused):
        storage.probe()
    client = weed.client()
    assert "never-made" not in {found["Name"] for found in client.list_buckets()["Buckets"]}
    client.close()


@pytest.mark.s3
def test_credentials_come_from_the_usual_variables(weed: Weed, bucket: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "newswarc-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", weed.endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    storage = S3Storage(bucket, "", S3Options())
    try:
        put(storage, KEY, b"x")
        assert storage.read(KEY) == b"x"
    finally:
        storage.close()


def test_an_endpoint_nobody_listens_at_is_unavailable(connect: Connect):
    (port,) = free_ports(1)
    with pytest.raises(StorageUnavailable, match=f"http://127.0.0.1:{port}"):
        connect(f"http://127.0.0.1:{port}", "bucket", patience_s=0.2).stat(KEY)


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (301, "PermanentRedirect", StorageRefused, "region|REGION"),
        (307, "TemporaryRedirect", StorageRefused, "region|REGION"),
        (400, "AuthorizationHeaderMalformed", StorageRefused, "another region"),
        (403, "AccessDenied", StorageRefused, "may not do that"),
        (403, "ExpiredToken", StorageRefused, "session token"),
        (403, "RequestTimeTooSkewed", StorageRefused, "clock"),
        (401, "", StorageRefused, "credentials"),
        (405, "MethodNotAllowed", StorageRefused, "is the endpoint an S3 service"),
        (501, "NotImplemented", StorageRefused, "does not have this operation"),
        (400, "RequestTimeout", StorageUnavailable, "given up after 3 tries"),
        (502, "", StorageUnavailable, "502"),
        (507, "InsufficientStorage", StorageUnavailable, "507"),
    ],
)
def test_each_answer_says_what_to_do(connect: Connect, status: int, code: str, kind: type[StorageError], says: str):
    body = f"<Error><Code>{code}</Code><Message>no\n\x7fway</Message></Error>".encode() if code else b""
    with S3Stub() as stub:
        stub.script = lambda method, path: (status, {"Date": "Sat, 21 Nov 2026 20:48:00 GMT"}, body)
        with pytest.raises(kind, match=says) as caught:
            connect(stub.endpoint, "bucket", attempts=3).read("a")
        assert "\n" not in str(caught.value)


def test_something_that_is_not_s3_is_no_surprise(connect: Connect):
    with S3Stub() as stub:
        stub.script = lambda method, path: (200, {"Content-Type": "text/html"}, b"<html>hello<br></html>")
        storage = connect(stub.endpoint, "bucket", attempts=2)
        for act in (lambda: list(storage.list()), lambda: storage.open(KEY), lambda: put(storage, KEY, LARGE)):
            with pytest.raises(StorageError):
                act()


def boto_errors() -> list[Exception]:
    """One of each exception class botocore has, and what it lets through from the libraries below it."""
    made: list[Exception] = [
        ResponseParserError("cut XML"),
        ProtocolError("broken"),
        ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError("timed out"),
    ]
    for found in vars(botocore.exceptions).values():
        if not (inspect.isclass(found) and issubclass(found, Exception)) or issubclass(found, Warning):
            continue
        if not found.__module__.startswith("botocore"):
            continue
        if issubclass(found, botocore.exceptions.ClientError):
            made.append(found({"Error": {"Code": "Odd", "Message": "odd"}}, "PutObject"))
            continue
        names = {name for _, name, _, _ in string.Formatter().parse(getattr(found, "fmt", "")) if name}
        if issubclass(found, botocore.exceptions.WaiterError):
            names = {"name", "reason", "last_response"}
        elif issubclass(found, botocore.exceptions.HTTPClientError):
            names |= {"error"}
        made.append(found(**dict.fromkeys(names, "x")))
    return made


def test_no_error_of_boto_leaves_the_storage(connect: Connect, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("archive.storage.s3.calling.time.sleep", lambda _: None)
    errors = boto_errors()
    assert len(errors) > 90
    with S3Stub() as stub:
        storage = connect(stub.endpoint, "bucket", attempts=2)
        client = storage._bucket.caller.client
        for error in errors:

            def fail(error: Exception = error, **_: object) -> None:
                raise error

            for name in ("get_object", "head_object", "put_object", "list_objects_v2", "delete_object", "head_bucket"):
                monkeypatch.setattr(client, name, fail)
            for act in (
                lambda: storage.read("a"),
                lambda: storage.read("a", 1, 2),
                lambda: storage.stat("a"),
                lambda: storage.open("a"),
                lambda: list(storage.list()),
                lambda: storage.delete("a"),
                lambda: put(storage, "a", b"x"),
                storage.probe,
            ):
                with pytest.raises(StorageError) as caught:
                    act()
                assert "\n" not in str(caught.value), error
                assert "bucket" in str(caught.value), error
