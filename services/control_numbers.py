"""Numbers of the company's own that get a copy of every mass sending."""

import re
from dataclasses import replace

from odoo.exceptions import ValidationError

from ..tools import phone
from .words import describe_reading

_split = re.compile(r"[,;\n]").split


def read(text, country):
    """Return the numbers of a setting.

    :param str text: numbers separated by commas
    :param str country: code of the country of numbers without a plus
    :return: list of ``tools.phone.Reading``, each number once
    """
    parts = [part.strip() for part in _split(text or "") if part.strip()]
    readings = [phone.read(part, country) for part in parts]
    return list({found.e164 or found.raw: found for found in readings}.values())


def check(company):
    """Refuse a setting with something that is no number of a mobile phone.

    :raise ValidationError: naming it
    """
    account = company.env["sms.devino.account"]._get_default(company)
    country = account.country_id or company.country_id
    for found in read(company.sms_devino_control_numbers, country.code):
        if not found.sendable:
            raise ValidationError(
                company.env._(
                    "Control numbers: %s", describe_reading(company.env, found)
                )
            )


def make_copies(batch, example, seen):
    """Return the recipients that stand for the control numbers of a draft.

    :param example: the ``audience.Recipient`` whose text they get
    :param seen: numbers that get a message of their own already
    :return: list of ``audience.Recipient``
    """
    text = batch.company_id.sudo().sms_devino_control_numbers
    return [
        replace(
            example,
            number=found.e164,
            raw=found.raw,
            name=batch.env._("Control number"),
            partner_id=None,
            data=None,
            res_model=None,
            res_id=None,
            is_control=True,
        )
        for found in read(text, batch.account_id.country_id.code)
        if found.sendable and found.e164 not in seen
    ]
