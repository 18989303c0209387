# What the forms inherit from stands before them.
from . import sms_devino_preparation

# isort: split
from . import (
    sms_composer,
    sms_devino_batch_send,
    sms_devino_export,
    sms_devino_message_send,
    sms_devino_recipient_list_contacts,
    sms_devino_recipient_list_import,
    sms_devino_recipient_list_import_column,
    sms_devino_recipient_list_import_row,
    sms_devino_recipient_list_paste,
)
