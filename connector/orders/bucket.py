"""A store in S3, where taking an object away need not take its bytes.

A bucket with versions puts a mark on top of them, and the parts of an upload that was cut off stand in no list of
objects.
"""

import posixpath
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage


def remove_all(storage: S3Storage, folder: str) -> None:
    """Take away whatever the bucket holds under the folder. Errors: OSError; then some of it may be there still."""
    prefix = posixpath.normpath(posixpath.join(storage.location, folder)) + "/"
    try:
        for upload in storage.bucket.multipart_uploads.filter(Prefix=prefix):
            upload.abort()
        answers: list[dict[str, Any]] = storage.bucket.object_versions.filter(Prefix=prefix).delete()
    except (BotoCoreError, ClientError) as error:
        raise OSError(type(error).__name__) from error
    refused = {row.get("Code", "") for answer in answers for row in answer.get("Errors", ())}
    if refused:
        raise OSError(f"the bucket keeps objects: {', '.join(sorted(refused))}")
