from . import sms_devino_message
