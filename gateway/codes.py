"""The provider's tables: limits, operation statuses, message statuses and states."""

from dataclasses import dataclass

DEFAULT_URL = "https://integrationapi.net/rest"
# Documented by the provider.
MAX_BULK_NUMBERS = 2999
MAX_TEXT_LENGTH = 2000
SESSION_MINUTES = 120
STATUS_MEMORY_HOURS = 48
# Names every new account has from the start, by the manual of the 1C module.
STOCK_SENDERS = ("DTSMS", "testsms")

# Names and order of the 1C module's manual.
OPERATION_STATUSES = [
    ("OK_Operation_Completed", "Operation completed"),
    ("Error_Not_Enough_Credits", "Error: not enough credits"),
    ("Error_Message_Rejected", "Error: message rejected"),
    ("Error_Invalid_Source_Address", "Error: invalid sender address"),
    ("Error_Invalid_Destination_Address", "Error: invalid recipient number"),
    ("Error_SMS_User_Disabled", "Error: the SMS user is blocked"),
    ("Error_Invalid_MessageID", "Error: invalid message ID"),
    ("Error_Invalid_Header", "Error: parameters passed incorrectly"),
    ("Error_Invalid_Login", "Error: wrong login"),
    ("Error_Invalid_Password", "Error: wrong password"),
    ("Error_Unauthorised_IP_Address", "Error: unauthorised IP address"),
    ("Error_SMS_User_Not_Activated", "Error: the SMS user is not activated"),
    ("Error_Message_Queue_Full", "Error: the message queue is full"),
    ("Error_Gateway_Offline", "Error: the server is unavailable"),
    ("Error_Gateway_Busy", "Error: the server is busy with another request"),
    ("Error_Database_Offline", "Error: the database server is unavailable"),
]

# Names and order of the manual; the last one is its "everything else".
MESSAGE_STATUSES = [
    ("Enqueued", "Waiting to be sent"),
    ("Delivered_To_Gateway", "Sent"),
    ("Sent", "Sent"),
    ("Delivered_To_Recipient", "Delivered"),
    ("Error_Invalid_Destination_Address", "Error: invalid recipient number"),
    ("Error_Invalid_Source_Address", "Error: invalid sender address"),
    ("Error_Rejected", "Error: message rejected"),
    ("Error_Expired", "Error: the message's lifetime has expired"),
    ("Unrecognized", "Status not recognized"),
]


@dataclass(frozen=True)
class StateInfo:
    """What a number in ``State`` of ``Sms/State`` means.

    :param name: the provider's own name of the state.
    :param message_status: one of :data:`MESSAGE_STATUSES`.
    :param final: no other state follows.
    """

    state: int
    name: str
    message_status: str
    final: bool
    delivered: bool = False


_DESTINATION = "Error_Invalid_Destination_Address"
_SOURCE = "Error_Invalid_Source_Address"
_UNRECOGNIZED = "Unrecognized"

# Numbers and names are documented by the provider. Which manual status a number
# without a documented name belongs to is an inference from its Russian description.
STATES = {
    info.state: info
    for info in (
        StateInfo(-200, "Errors", _UNRECOGNIZED, False),
        StateInfo(-100, "Tariffed", _UNRECOGNIZED, False),
        StateInfo(-98, "Stopped", _UNRECOGNIZED, False),
        StateInfo(-97, "Deleted", _UNRECOGNIZED, True),
        StateInfo(-40, "Queued", "Enqueued", False),
        StateInfo(-30, "Sending_To_Gateway", "Delivered_To_Gateway", False),
        StateInfo(-20, "Sending_To_Recipient", "Sent", False),
        StateInfo(-10, "Sent", "Sent", False),
        StateInfo(-3, "ErrorSendingDateTimeInterpretation", _UNRECOGNIZED, True),
        StateInfo(-2, "LocalQueued", "Enqueued", False),
        StateInfo(-1, "Sent", "Sent", False),
        StateInfo(0, "Delivered_To_Recipient", "Delivered_To_Recipient", True, True),
        StateInfo(8, "System_Error", _UNRECOGNIZED, True),
        StateInfo(10, "Error_Invalid_Source_Address", _SOURCE, True),
        StateInfo(11, "Error_Invalid_Destination_Address", _DESTINATION, True),
        StateInfo(41, "Error_Incompatible_Destination", _DESTINATION, True),
        StateInfo(42, "Error_Rejected", "Error_Rejected", True),
        StateInfo(46, "Error_Expired", "Error_Expired", True),
        StateInfo(47, "Deleted", _UNRECOGNIZED, True),
        StateInfo(48, "Devino_Rejected", "Error_Rejected", True),
        StateInfo(69, "Rejected", "Error_Rejected", True),
        StateInfo(99, "Unknown", _UNRECOGNIZED, False),
        # Not stored yet, or forgotten after 48 hours: the age of the message tells.
        StateInfo(255, "Unknown", _UNRECOGNIZED, False),
    )
}


def state_info(state: int) -> StateInfo:
    """The meaning of ``state``; an undocumented number is not final."""
    return STATES.get(state) or StateInfo(state, "Unknown", _UNRECOGNIZED, False)
