"""Start the process, make a bucket in it, point the portal at it, and look at what it holds past the portal."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3

from tests.simulator.launch import ROOT

KEYS = {"aws_access_key_id": "portal", "aws_secret_access_key": "no secret", "region_name": "us-east-1"}


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server that runs as long as the block."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bucket"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("BUCKET READY "), said
        yield said.split()[-1]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


class Bucket:
    """`location` is the folder in it that is the portal's; the rest is somebody else's."""

    location = "portal/scans"

    def __init__(self, url: str, *, versioned: bool) -> None:
        self.url, self.name = url, f"lab-scans-{uuid4().hex[:8]}"
        self.client: Any = boto3.client("s3", endpoint_url=url, **KEYS)  # its type is made at run time
        self.client.create_bucket(Bucket=self.name, ObjectLockEnabledForBucket=versioned)
        if versioned:
            self.client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def storage(self) -> dict[str, Any]:
        """As SCANS_STORAGE and SCANS_STORAGE_OPTIONS say it."""
        options = {"access_key": "portal", "secret_key": "no secret", "region_name": "us-east-1"}
        options |= {"bucket_name": self.name, "endpoint_url": self.url, "location": self.location}
        return {"BACKEND": "connector.orders.bucket.Bucket", "OPTIONS": options}

    def held(self) -> list[str]:
        """The key of whatever takes up room: objects, older versions, marks of deletion, unfinished uploads."""
        versions = self.client.list_object_versions(Bucket=self.name)
        uploads = self.client.list_multipart_uploads(Bucket=self.name)
        rows = [*versions.get("Versions", ()), *versions.get("DeleteMarkers", ()), *uploads.get("Uploads", ())]
        assert not versions["IsTruncated"], "the list is not whole"
        return sorted(row["Key"] for row in rows)

    def put(self, key: str, content: bytes = b"somebody's") -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def lock(self, key: str, *, on: bool) -> None:
        """A hold of the bucket's own; with versions alone."""
        hold = {"Status": "ON" if on else "OFF"}
        self.client.put_object_legal_hold(Bucket=self.name, Key=key, LegalHold=hold)

    def begin_upload(self, key: str) -> None:
        """An upload whose process died after its first part."""
        upload = self.client.create_multipart_upload(Bucket=self.name, Key=key)
        self.client.upload_part(Bucket=self.name, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"part")
