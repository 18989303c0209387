"""The SMS provider Devino Telecom as plain Python."""

from .answers import IncomingMessage, MessageState, Statistics
from .client import Credentials, DevinoClient
from .codes import (
    DEFAULT_URL,
    MAX_BULK_NUMBERS,
    MAX_TEXT_LENGTH,
    MESSAGE_STATUSES,
    OPERATION_STATUSES,
    SESSION_MINUTES,
    STATES,
    STATUS_MEMORY_HOURS,
    STOCK_SENDERS,
    StateInfo,
    state_info,
)
from .errors import (
    AccountRefusedError,
    GatewayError,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
)
from .shared import get_client
from .verdict import classify
