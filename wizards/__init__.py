from . import sms_devino_message_send
