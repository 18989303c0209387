"""Extensions of Odoo's own models, one file each."""

from . import (
    base,
    base_module_uninstall,
    base_partner_merge,
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
    sms_composer,
    sms_sms,
    sms_template,
    sms_tracker,
)
