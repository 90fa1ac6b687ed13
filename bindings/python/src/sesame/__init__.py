"""libsesame: one message to every device, end-to-end encrypted, over any server.

The library never opens a socket: the app moves bytes, the library decides. See ``Device``.
"""

from . import values
from ._native import version
from .codes import Code
from .errors import AppError, InternalError, PeerError, SesameError, ServerError, StoreError
from .handles import Device, DeviceRegistry, Group, Linking, LocalRelay, Session
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
from .types import (
    Accepted,
    BundleFetched,
    Duplicate,
    Failure,
    Held,
    Mail,
    NoSuchUser,
    Published,
    Received,
    RelayView,
    Seen,
    SeenEnvelope,
    Sender,
    Stale,
    Submission,
    Submitted,
)
from .values import *
__version__ = version()

__all__ = [
    "Accepted",
    "AppError",
    "AppStore",
    "BundleFetched",
    "Code",
    "Device",
    "DeviceRegistry",
    "Duplicate",
    "ExactQuery",
    "Failure",
    "Group",
    "Held",
    "InternalError",
    "Linking",
    "LocalRelay",
    "Mail",
    "NoSuchUser",
    "PeerError",
    "PrefixQuery",
    "Published",
    "Received",
    "RelayView",
    "Seen",
    "SeenEnvelope",
    "Sender",
    "ServerError",
    "SesameError",
    "Session",
    "Stale",
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
    "Submission",
    "Submitted",
    "check_store",
]
__all__ += values.__all__
