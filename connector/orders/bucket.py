"""Scans in S3, as a store that behaves like a disk: `SCANS_STORAGE=connector.orders.bucket.Bucket`.

What its libraries raise is an OSError, so that a bucket that is away is told in the words that a disk has. And taking
an object away need not take its bytes: a bucket with versions puts a mark on top of them, and the parts of an upload
that was cut off stand in no list of objects.
"""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

# Of a file that is read no more lies in memory; the rest goes into a file that has no name.
MOST_IN_MEMORY = 8 * 1024**2
# Seconds. A page waits for a bucket that is away, so it is given up sooner than the libraries would.
PATIENCE = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})


@contextmanager
def as_of_a_disk() -> Iterator[None]:
    """Errors: OSError, with the library's name for what happened."""
    try:
        yield
    except (BotoCoreError, Boto3Error, ClientError) as error:
        raise OSError(type(error).__name__) from error


class Bucket(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """Errors of each call: OSError; FileNotFoundError where there is no such object."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_memory_size": MOST_IN_MEMORY} | options)
        self.client_config: Config = self.client_config.merge(PATIENCE)

    def _open(self, name: str, mode: str = "rb") -> BinaryIO:
        with as_of_a_disk():
            file: BinaryIO = super()._open(name, mode)
            file.open()  # type: ignore[attr-defined]  # a Django file: fetched here, not in the middle of an answer
            return file

    def _save(self, name: str, content: "File[Any]") -> str:
        with as_of_a_disk():
            return str(super()._save(name, content))

    def exists(self, name: str) -> bool:
        with as_of_a_disk():
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        with as_of_a_disk():
            super().delete(name)

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with as_of_a_disk():
            folders, files = super().listdir(name)
            return folders, files

    def remove_all(self, folder: str) -> None:
        """Take away whatever is held under the folder. Errors: OSError; then some of it may be there still."""
        prefix = posixpath.normpath(posixpath.join(self.location, folder)) + "/"
        with as_of_a_disk():
            for upload in self.bucket.multipart_uploads.filter(Prefix=prefix):
                upload.abort()
            answers: list[dict[str, Any]] = self.bucket.object_versions.filter(Prefix=prefix).delete()
        refused = {row.get("Code", "") for answer in answers for row in answer.get("Errors", ())}
        if refused:
            raise OSError(f"the bucket keeps objects: {', '.join(sorted(refused))}")
