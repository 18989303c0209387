from . import (
    sms_devino_export,
    sms_devino_recipient_list_contacts,
    sms_devino_recipient_list_import,
    sms_devino_recipient_list_import_column,
    sms_devino_recipient_list_import_row,
    sms_devino_recipient_list_paste,
)
