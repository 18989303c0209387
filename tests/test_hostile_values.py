"""Hostile values, thousands of them, into everything that remote calls reach."""

import base64
import logging
import random
import time

import psycopg2

from odoo.exceptions import UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .base_case import SmsCase
from .common import mark_secret
from .test_access_matrix import METHODS, METHODS_ELSEWHERE, MODELS

_logger = logging.getLogger(__name__)

SEED = 20_261_124
CALLS = 1_600
# A slow machine tries fewer of them, but never fewer than this.
SECONDS, LEAST_CALLS = 20, 300
SECRET_NUMBER, SECRET_TEXT = "+79215550" + "199", "qzx" + "fuzz"
TEXTS = (
    "",
    " ",
    "%s %(x)s {0} {x}",
    "{{" * 3_000,
    "{{ object.env.cr }} {{ name ||| x }} {{ a | b }}",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE sms_devino_message; --",
    "\u202etxet\u200b\ufeff",
    "\U0001f600" * 500,
    "a\r\n\x0b\x1f\x7fb",
    "x" * 20_000,
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "[" * 500,
    "-" * 5_000 + "1",
    "[('id', 'in', [1]), '|']",
    "[('user_ids.password', '!=', False)]",
    "{'a': 1}",
    "None",
    "+7 (921) 555-01-99, 8-921-555-01-99",
    "9" * 400,
)
JSONS = (
    None,
    False,
    True,
    0,
    -1,
    1e308,
    "x",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"counts": 5},
    {"counts": {"new": "x"}, "first": [1]},
    {"columns": 5, "header_row": 1},
    {"columns": [{}], "header_row": 1},
    {"columns": [], "header_row": []},
    [{"role": "phone"}],
    [{"role": {}, "name": []}],
    {"a": {"b": {"c": {}}}},
    {"automatic": True, "account_id": 1},
)
# Kinds of errors that say something to a person.
ALLOWED = (
    UserError,
    # Odoo's own layer of requests makes a ValidationError of it
    psycopg2.IntegrityError,
)
# What Odoo says of a button for one record that is called with several.
SINGLETON = "Expected singleton"
# The fields that Odoo gives to everything: not ours to try.
OURS_ONLY = ("sms_devino",)
MAGIC = ("id", "display_name", "create_uid", "create_date", "write_uid", "write_date")
FORMS = ("sms.composer", "res.config.settings")


class Hostile:
    """Values of each kind of field, from one seed."""

    def __init__(self, records):
        self.random = random.Random(SEED)
        self.records = records
        self.count = 0

    def pick(self, *values):
        self.count += 1
        return self.random.choice(values)

    def text(self):
        text = self.pick(*TEXTS)
        mark = self.random.choice((SECRET_TEXT, SECRET_NUMBER, ""))
        return f"{mark} {text}" if self.random.random() < 0.7 else text

    def ids(self, model):
        known = [key for records in self.records for key in records[model].ids]
        pool = [*known, 0, 2**31 - 1, -1, self.random.randrange(1, 10_000)]
        count = self.pick(0, 1, 1, 1, 2, 3)
        return [self.random.choice(pool) for _ in range(count)]

    def value(self, field, env):
        kind = field.type
        if kind in ("char", "text", "html"):
            return self.pick(False, self.text(), self.text())
        if kind == "json":
            return self.pick(*JSONS)
        if kind == "integer":
            return self.pick(0, 1, -1, 2**31 - 1, -(2**31), 100)
        if kind in ("float", "monetary"):
            return self.pick(0, -1.5, 1e15, -1e15, float("nan"), float("inf"), 1e-9)
        if kind == "boolean":
            return self.pick(True, False)
        if kind == "selection":
            return self.pick(False, *field.get_values(env))
        if kind == "many2one":
            return self.pick(False, *(self.known_ids(field.comodel_name, env) or [1]))
        if kind in ("one2many", "many2many"):
            ids = self.known_ids(field.comodel_name, env) or [1]
            one = self.random.choice(ids)
            return self.pick(
                [], [[5]], [[6, 0, ids]], [[4, one]], [[3, one]], [[6, 0, []]]
            )
        if kind == "datetime":
            return self.pick(
                False, "1000-01-01 00:00:00", "9999-12-31 23:59:59", "2026-02-28"
            )
        if kind == "binary":
            content = self.text().encode("utf-8", "replace")
            return self.pick(False, base64.b64encode(content).decode())
        return False

    def known_ids(self, model, env):
        known = [
            key
            for records in self.records
            if model in records
            for key in records[model].ids
        ]
        if not known and model in env:
            known = env[model].sudo().search([], limit=3).ids
        return known

    def values(self, model):
        """A dict of some fields that a request could write."""
        fields = [
            (name, field)
            for name, field in model._fields.items()
            if name not in MAGIC
            and any(ours in module for module in field._modules for ours in OURS_ONLY)
            or model._name in FORMS
            and name in ("body", "numbers", "res_model", "res_id", "res_ids")
        ]
        chosen = self.random.sample(fields, min(len(fields), 4))
        values = {name: self.value(field, model.env) for name, field in chosen}
        if "res_model" in values:
            values["res_model"] = self.pick("res.partner", "nothing", False)
        return values

    def context(self):
        """What a request may say about itself."""
        keys = {
            "sms_devino_options": {"automatic": True},
            "sms_devino_reading": self.text(),
            "active_model": "res.partner",
            "active_ids": self.pick(*JSONS),
            "active_test": False,
            "bin_size": True,
            "default_state": "x",
            "default_number": SECRET_NUMBER,
            "default_list_id": 1,
            "tz": self.pick("Europe/Moscow", False),
        }
        chosen = self.random.sample(sorted(keys), self.random.randrange(4))
        return {name: keys[name] for name in chosen}


class Records(logging.Handler):
    """Keeps what is logged, as it would be written."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.lines = []
        self.formatter = logging.Formatter()

    def emit(self, record):
        self.lines.append(self.format(record))


@tagged("post_install", "-at_install", "sms_devino")
class TestHostileValues(SmsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mark_secret(SECRET_TEXT, SECRET_NUMBER)
        cls.people["system"] = new_test_user(
            cls.env,
            "sms_fuzz_system",
            groups="base.group_system",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.records = [
            cls.make_records(account) for account in (cls.account, cls.other_account)
        ]

    @classmethod
    def make_records(cls, account):
        """Return model -> records of the company of an account."""
        company = account.company_id
        company.sms_devino_account_id = account
        env = cls.env
        message = env["sms.devino.message"].enqueue(
            SECRET_NUMBER, SECRET_TEXT, account=account
        )
        message.author_id = cls.people["user"]
        record_list = env["sms.devino.recipient.list"].create(
            {"name": "List", "company_id": company.id}
        )
        recipient = env["sms.devino.recipient"].create(
            {"list_id": record_list.id, "number_raw": SECRET_NUMBER}
        )
        batch = env["sms.devino.batch"].create(
            {"name": "B", "company_id": company.id, "account_id": account.id}
        )
        made = {model: env[model] for model in (*MODELS, *FORMS)}
        made |= {record._name: record for record in (message, batch, recipient)}
        return made | {
            "sms.devino.account": account,
            "sms.devino.sender": account.sender_ids,
            "sms.devino.recipient.list": record_list,
            "phone.blacklist": env["phone.blacklist"],
            "res.partner": cls.people["user"].partner_id,
        }

    def calls(self, hostile):
        """Yield kind of person, model, method, arguments."""
        kinds = ("user", "manager", "manager", "admin", "admin", "system", "internal")
        methods = [*METHODS, *METHODS_ELSEWHERE]
        models = [*MODELS, *FORMS]
        for number in range(CALLS):
            kind = hostile.random.choice(kinds)
            if number % 4 == 0:
                model, method = methods[number // 4 % len(methods)]
                function = getattr(type(self.env[model]), method)
                is_of_model = getattr(function, "_api_model", False)
                yield kind, model, method, [] if is_of_model else [hostile.ids(model)]
                continue
            model = self.env[hostile.random.choice(models)]
            values = hostile.values(model)
            spec = {
                name: {}
                for name, field in model._fields.items()
                if field.store or field.compute
            }
            ids = hostile.ids(model._name)
            method, args = hostile.pick(
                ("create", [[values]]),
                ("write", [ids, values]),
                ("onchange", [ids[:1], values, list(values), spec]),
                ("onchange", [[], values, list(values), spec]),
                ("onchange", [[], values, [], spec]),
                ("web_save", [ids[:1], values, spec]),
                ("read", [ids]),
                ("web_read", [ids, spec]),
                ("copy", [ids]),
                ("unlink", [ids]),
                ("name_search", [hostile.text()]),
            )
            yield kind, model._name, method, args

    def test_hostile_values_are_refused_in_words(self):
        hostile = Hostile(self.records)
        log = Records()
        root = logging.getLogger()
        faults, number = [], 0
        deadline = time.monotonic() + SECONDS
        sql = logging.getLogger("odoo.sql_db")
        for logger in (root, sql):
            logger.addHandler(log)
            self.addCleanup(logger.removeHandler, log)
        # what the database refuses is expected
        self.addCleanup(setattr, sql, "propagate", sql.propagate)
        sql.propagate = False
        for number, (kind, model, method, args) in enumerate(self.calls(hostile)):
            if number > LEAST_CALLS and time.monotonic() > deadline:
                break
            context = hostile.context()
            env = self.env_of(kind)
            env = env(context={**env.context, **context})
            try:
                with (
                    mute_logger("odoo.models.unlink"),
                    self.env.cr.savepoint(flush=False) as savepoint,
                ):
                    call_kw(env[model], method, args, {})
                    env.flush_all()
                    savepoint.rollback()
            except ALLOWED as error:
                _logger.debug("refused: %s", type(error).__name__)
            except Exception as error:
                if SINGLETON in str(error):
                    continue
                faults.append(
                    (
                        kind,
                        model,
                        method,
                        self.hide(repr(args))[:600],
                        self.hide(repr(error))[:300],
                        self.place_of(error),
                    )
                )
            self.env.invalidate_all(flush=False)
            self.env.transaction.clear()
        self.assertGreaterEqual(number, LEAST_CALLS)
        self.assertGreater(hostile.count, number)
        self.assertFalse(len(faults), "\n".join(map(str, faults[:30])))
        personal = [
            line
            for line in log.lines
            for secret in (SECRET_TEXT, SECRET_NUMBER[1:])
            if secret in line
        ]
        self.assertFalse([self.hide(line)[:500] for line in personal])
        self.assertFalse([line for line in log.lines if "Traceback" in line])

    @staticmethod
    def hide(text):
        """What is printed here must not look like a leak."""
        text = text.replace(SECRET_NUMBER[1:], "(number)")
        return text.replace(SECRET_TEXT, "(text)")

    @staticmethod
    def place_of(error):
        """Say where an error came from."""
        places, trace = [], error.__traceback__
        while trace:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
            trace = trace.tb_next
        return " ".join(places[-9:])
