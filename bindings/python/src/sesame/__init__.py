"""libsesame: one message to every device, end-to-end encrypted, over any server.

The library never opens a socket: the app moves bytes, the library decides. See ``Device``.
"""

from . import values
from ._native import version
from .codes import Code
from .errors import AppError, InternalError, PeerError, SesameError, ServerError, StoreError
from .handles import Device, DeviceRegistry, Group, Linking, PendingLink, Session
from .limits import MAX_BATCH, MAX_DIRECT_USERS, MAX_MEMBERS, MAX_PAYLOAD, MAX_USER_ID
from .loop import TestClock, Transport
from .relay import LocalRelay
from .store import (
    AppStore,
    ExactQuery,
    PrefixQuery,
    Store,
    StoreBusyFault,
    StoreConflict,
    StoreFault,
    StoreFullFault,
    StoreOutcomeUnknown,
    StoreQuery,
    StoreReadOnlyFault,
    StoreSnapshot,
    check_store,
)
from .types import BundleFetched, InboxItem, Published, RelayView, Seen, SeenEnvelope, ServerAnswer, Submitted
from .values import *

__version__ = version()

__all__ = [
    "AppError",
    "AppStore",
    "BundleFetched",
    "Code",
    "Device",
    "DeviceRegistry",
    "ExactQuery",
    "Group",
    "InboxItem",
    "InternalError",
    "Linking",
    "LocalRelay",
    "MAX_BATCH",
    "MAX_DIRECT_USERS",
    "MAX_MEMBERS",
    "MAX_PAYLOAD",
    "MAX_USER_ID",
    "PeerError",
    "PendingLink",
    "PrefixQuery",
    "Published",
    "RelayView",
    "Seen",
    "SeenEnvelope",
    "ServerAnswer",
    "ServerError",
    "SesameError",
    "Session",
    "Store",
    "StoreBusyFault",
    "StoreConflict",
    "StoreError",
    "StoreFault",
    "StoreFullFault",
    "StoreOutcomeUnknown",
    "StoreQuery",
    "StoreReadOnlyFault",
    "StoreSnapshot",
    "Submitted",
    "TestClock",
    "Transport",
    "check_store",
]
__all__ += values.__all__
