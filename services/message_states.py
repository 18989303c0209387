"""The states of a message, as tables: what they are called, which may follow which."""

STATES = [
    ("draft", "Draft"),
    ("left_out", "Left out"),
    ("scheduled", "Scheduled"),
    ("outgoing", "In the queue"),
    ("sending", "Sending"),
    ("sent", "Sent"),
    ("delivered", "Delivered"),
    ("undelivered", "Not delivered"),
    ("failed", "Not sent"),
    ("unknown", "Outcome unknown"),
    ("unconfirmed", "No final report"),
    ("canceled", "Canceled"),
]
# Test: a message stays in the sandbox.
MODES = [("test", "Test"), ("live", "Live")]
# The one place that knows which state may follow which: target -> allowed sources.
TRANSITIONS = {
    # from the queue: its hours were over before it left
    "scheduled": ("draft", "outgoing"),
    "outgoing": ("draft", "scheduled", "sending"),
    "sending": ("outgoing",),
    # a late answer may still prove that an unknown one was accepted, or refused
    "sent": ("sending", "unknown"),
    "failed": ("scheduled", "outgoing", "sending", "unknown"),
    "unknown": ("sending",),
    # a late report counts also after the 48 hours
    "delivered": ("sent", "unconfirmed"),
    "undelivered": ("sent", "unconfirmed"),
    "unconfirmed": ("sent",),
    "canceled": ("draft", "scheduled", "outgoing"),
}
# Rows of a mass sending that are not messages: they count only in their batch.
NO_MESSAGE_STATES = ("draft", "left_out")
QUEUED_STATES = ("scheduled", "outgoing")
# The provider surely delivered nothing: sending again cannot double.
SAFE_TO_REPEAT = ("failed", "canceled", "undelivered")
RISKY_TO_REPEAT = ("unknown", "unconfirmed")
# Why a message failed, or is not known to have arrived.
FAILURE_REASONS = [
    ("refused", "Refused by the provider"),
    ("attempts", "The provider could not be reached. The message was not sent"),
    ("expired", "The validity ended before the message could be sent"),
    ("interrupted", "Odoo stopped while the message was being sent"),
    ("no_answer", "The provider did not answer"),
    ("partial", "Only some segments were delivered"),
    ("silence", "No final report within 48 hours"),
    ("not_sent", "Found not to have been sent"),
    ("condition", "The condition no longer holds"),
    ("rule_off", "The rule was switched off"),
]
# The provider refuses such a number every time.
NUMBER_REFUSED = "Error_Invalid_Destination_Address"
ADVERTISING = "advertising"
PURPOSES = [
    ("service", "Service"),
    (ADVERTISING, "Advertising"),
    ("debt", "Debt"),
]
