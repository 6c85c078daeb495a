"""S3 as moto does not play it: a request that says whose the bucket has to be is refused when it is somebody else's.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html: "Amazon S3 returns an HTTP 403 Access
denied error" when the account id that was expected is not that of the bucket's owner.
"""

from collections.abc import Callable
from typing import Any

import pytest
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response

_EXPECTED = "x-amz-expected-bucket-owner"
_DENIED = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_METHODS = ("_bucket_response", "_key_response")


def mind_owners(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone."""
    for name in _METHODS:
        patch.setattr(S3Response, name, _minding(getattr(S3Response, name)))


def _minding(answer: Callable[..., Any]) -> Callable[..., Any]:
    def response(self: S3Response, request: Any, full_url: str) -> Any:
        expected = request.headers.get(_EXPECTED)
        bucket = self.parse_bucket_name_from_url(request, full_url)
        _, owner = s3_backends.bucket_accounts.get(bucket, ("", expected))
        if expected is not None and expected != owner:
            return 403, {}, _DENIED
        return answer(self, request, full_url)

    return response
