from . import (
    sms_devino_history,
    sms_devino_message_move,
    sms_devino_recipient_add,
    sms_devino_recipient_add_column,
    sms_devino_unsubscribe,
)
