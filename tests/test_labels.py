"""The words of the statuses: the manual's names, order and, in Russian, its text."""

from odoo.tests import tagged

from ..gateway import MESSAGE_STATUSES, OPERATION_STATUSES
from ..services.message_states import TRANSITIONS
from ..services.words import describe_reading
from ..tools import phone
from .base_case import SmsCase

# To the letter from the manual of the provider's 1C module.
OPERATIONS = """\
OK_Operation_Completed Операция выполнена
Error_Not_Enough_Credits Ошибка: недостаточно кредитов
Error_Message_Rejected Ошибка: сообщение отклонено
Error_Invalid_Source_Address Ошибка: некорректный адрес отправителя сообщения
Error_Invalid_Destination_Address Ошибка: некорректный номер получателя сообщения
Error_SMS_User_Disabled Ошибка: SMS - пользователь заблокирован
Error_Invalid_MessageID Ошибка: некорректный ID сообщения
Error_Invalid_Header Ошибка: некорректно переданы параметры
Error_Invalid_Login Ошибка: неправильный логин
Error_Invalid_Password Ошибка: неправильный пароль
Error_Unauthorised_IP_Address Ошибка: неавторизованный IP-адрес
Error_SMS_User_Not_Activated Ошибка: SMS - пользователь не активирован
Error_Message_Queue_Full Ошибка: очередь сообщений полна
Error_Gateway_Offline Ошибка: сервер недоступен
Error_Gateway_Busy Ошибка: сервер занят другим запросом
Error_Database_Offline Ошибка: сервер базы данных недоступен"""
FATES = """\
Enqueued Ожидает отправки
Delivered_To_Gateway Отправлено
Sent Отправлено
Delivered_To_Recipient Доставлено
Error_Invalid_Destination_Address Ошибка: некорректный номер получателя сообщения
Error_Invalid_Source_Address Ошибка: некорректный адрес отправителя сообщения
Error_Rejected Ошибка: сообщение отклонено
Error_Expired Ошибка: истек срок жизни сообщения
Unrecognized Статус не распознан"""
# One text for each reading on a number.
READINGS = {
    "ok": "79214563763",
    "corrected": "89214563763",
    "landline": "8 812 123-45-67",
    "special": "8 800 555-35-35",
    "impossible": "71234567890",
    "foreign_without_plus": "380501234567",
    "letters": "allo",
    "too_short": "7921456",
    "too_long": "7921456376312",
    "lost_digits": "7,92E+10",
    "empty": "",
}


def table(text):
    """Return the lines of a table as pairs of name and label."""
    return [tuple(line.split(" ", 1)) for line in text.splitlines()]


@tagged("post_install", "-at_install", "sms_devino")
class TestLabels(SmsCase):
    def labels(self, model, field, env=None):
        """Return the labels as a form shows them."""
        description = (env or self.env)[model].fields_get([field], ["selection"])
        return description[field]["selection"]

    def test_statuses_are_those_of_the_manual(self):
        for table_text, statuses in (
            (OPERATIONS, OPERATION_STATUSES),
            (FATES, MESSAGE_STATUSES),
        ):
            self.assertEqual(
                [name for name, _label in table(table_text)],
                [name for name, _label in statuses],
            )

    def test_statuses_show_the_manual_s_russian(self):
        env = self.use_russian()
        for model, field, expected in (
            ("sms.devino.message", "operation_status", OPERATIONS),
            ("sms.devino.account", "operation_status", OPERATIONS),
            ("sms.devino.message", "message_status", FATES),
            ("sms.devino.segment", "message_status", FATES),
        ):
            with self.subTest(model=model, field=field):
                self.assertEqual(self.labels(model, field, env), table(expected))

    def test_every_state_has_its_own_words_in_both_languages(self):
        russian = self.use_russian()
        for model, field in (
            ("sms.devino.message", "state"),
            ("sms.devino.message", "reason"),
            ("sms.devino.message", "encoding"),
            ("sms.devino.message", "priority"),
            ("sms.devino.account", "state"),
            ("sms.devino.account", "mode"),
            ("sms.devino.sender", "state"),
            ("sms.devino.batch", "state"),
        ):
            english = self.env(context={**self.env.context, "lang": "en_US"})
            for env in (english, russian):
                labels = dict(self.labels(model, field, env))
                self.assertEqual(len(set(labels.values())), len(labels), field)
            for (name, told), (_name, said) in zip(
                self.labels(model, field, english),
                self.labels(model, field, russian),
                strict=True,
            ):
                with self.subTest(model=model, field=field, name=name):
                    translated = field == "encoding" or told != said
                    self.assertTrue(translated, f"{told} stays English")

    def test_every_state_is_reached_by_the_table(self):
        states = dict(self.labels("sms.devino.message", "state"))
        sources = {state for allowed in TRANSITIONS.values() for state in allowed}
        self.assertLessEqual(TRANSITIONS.keys() | sources, states.keys())
        self.assertEqual(states.keys() - TRANSITIONS.keys(), {"draft", "left_out"})

    def test_every_reading_on_a_number_has_its_sentence(self):
        russian = self.use_russian()
        sentences = set()
        for code, text in READINGS.items():
            with self.subTest(code):
                reading = phone.read(text, "RU")
                self.assertEqual(reading.code, code)
                told, said = (
                    describe_reading(env, reading)
                    for env in (
                        self.env(context={**self.env.context, "lang": "en_US"}),
                        russian,
                    )
                )
                self.assertNotEqual(told, said)
                self.assertRegex(said, "[а-я]")
                sentences |= {told}
        self.assertEqual(len(sentences), len(READINGS))
