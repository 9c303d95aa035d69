"""Sync and async client of Wangdian (网点), the system that bank branches run on.

`Wangdian` and `AsyncWangdian` offer the same resources; `problems` holds what they raise.
"""

from wangdian_client.calls import etag_of, location_of
from wangdian_client.client import AsyncWangdian, Wangdian
from wangdian_client.exchange import Acknowledged
from wangdian_client.problems import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    StaleVersion,
    Unauthorised,
    Unreachable,
    WangdianError,
)
from wangdian_client.retry import NO_RETRY, Retry
from wangdian_client.runners import AsyncPages, Pages
from wangdian_client.tracing import trace
from wangdian_client.version import __version__

__all__ = [
    "NO_RETRY",
    "Acknowledged",
    "AsyncPages",
    "AsyncWangdian",
    "Busy",
    "Conflict",
    "Forbidden",
    "Invalid",
    "NotFound",
    "Pages",
    "Problem",
    "Retry",
    "StaleVersion",
    "Unauthorised",
    "Unreachable",
    "Wangdian",
    "WangdianError",
    "__version__",
    "etag_of",
    "location_of",
    "trace",
]
