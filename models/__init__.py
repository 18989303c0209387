# Mixins stand before the models that inherit from them.
from . import (
    sms_devino_connection,
    sms_devino_data,
    sms_devino_guarded,
    sms_devino_hours,
    sms_devino_options,
    sms_devino_quote,
)

# isort: split
from . import (
    extensions,
    sms_devino_account,
    sms_devino_batch,
    sms_devino_consent,
    sms_devino_consent_wording,
    sms_devino_day,
    sms_devino_dispatcher,
    sms_devino_doubt,
    sms_devino_export,
    sms_devino_import_mapping,
    sms_devino_incoming,
    sms_devino_limit,
    sms_devino_mark,
    sms_devino_message,
    sms_devino_number,
    sms_devino_operator_template,
    sms_devino_range,
    sms_devino_recipient,
    sms_devino_recipient_list,
    sms_devino_rule,
    sms_devino_segment,
    sms_devino_sender,
    sms_devino_statistics,
    sms_devino_tariff,
)
