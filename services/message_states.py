"""Groups of a message's states, as several rooms need them."""

# Rows of a mass sending that are no messages: they count nowhere but in their batch.
NO_MESSAGE_STATES = ("draft", "left_out")
QUEUED_STATES = ("scheduled", "outgoing")
# The provider surely delivered nothing: sending again cannot double.
SAFE_TO_REPEAT = ("failed", "canceled", "undelivered")
RISKY_TO_REPEAT = ("unknown", "unconfirmed")
