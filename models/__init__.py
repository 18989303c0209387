# A mixin stands before the models that inherit from it.
from . import sms_devino_options

# isort: split
from . import (
    base,
    ir_actions,
    ir_actions_server,
    ir_http,
    mail_notification,
    mail_thread,
    phone_blacklist,
    res_company,
    res_config_settings,
    res_partner,
    res_users,
    sms_devino_account,
    sms_devino_account_money,
    sms_devino_batch,
    sms_devino_batch_line,
    sms_devino_batch_reason,
    sms_devino_dispatcher,
    sms_devino_import_mapping,
    sms_devino_message,
    sms_devino_message_odoo,
    sms_devino_recipient,
    sms_devino_recipient_list,
    sms_devino_recipient_list_batch,
    sms_devino_reminder,
    sms_devino_segment,
    sms_devino_sender,
    sms_devino_status_checker,
    sms_devino_tariff,
    sms_sms,
    sms_template,
    sms_tracker,
)

# isort: split
# What extends several models of this addon stands after them all.
from . import sms_devino_message_batch
