"""Strict reading of the provider's answers."""

import html
import json
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote, quote_plus

from odoo.tests import BaseCase, tagged

from ..gateway import answers
from ..gateway.redact import redact

STATE = (
    '{"State":0,"CreationDateUtc":"\\/Date(1455820738000)\\/",'
    '"SubmittedDateUtc":"\\/Date(1455820738250)\\/","ReportedDateUtc":null,'
    '"TimeStampUtc":"\\/Date(-62135596800000)\\/",'
    '"StateDescription":"Доставлено","Price":1.5}'
)
STATISTICS = (
    '{"Sent":9,"Delivered":0,"Errors":1,"InProcess":7780,"Expired":2,'
    '"Rejected":56876,"Total":64665,"TotalWithErrors":64666,"DeliveryRatio":0.25}'
)
INCOMING = (
    '[{"Data":"test1 \ufffd","SourceAddress":"79260000000",'
    '"DestinationAddress":"79160000000","ID":539187174,'
    '"CreatedDateUtc":"\\/Date(1294045911213)\\/"}]'
)


@tagged("post_install", "-at_install", "sms_devino")
class TestAnswers(BaseCase):
    def assertRefused(self, reader, body):
        with self.subTest(reader=reader.__name__, body=body[:60]):
            with self.assertRaises(ValueError):
                reader(answers.load(body))

    def test_numbers_are_exact(self):
        for body, expected in (
            ("20015.3", Decimal("20015.3")), ("12", Decimal(12)),
            ("-0.5", Decimal("-0.5")), ("0.1", Decimal("0.1")),
            ("1e3", Decimal("1E+3")), ("0", Decimal(0)),
        ):  # fmt: skip
            self.assertEqual(answers.decimal(answers.load(body)), expected)
        for body in (
            "true", '"12"', "null", "[]", "NaN", "Infinity", "-Infinity", "1e999",
            "9" * 5000,
        ):  # fmt: skip
            self.assertRefused(answers.decimal, body)

    def test_session_id(self):
        session = "C619DF83829F4C3094CB54F4D62878786B5B"
        self.assertEqual(answers.session_id(answers.load(f'"{session}"')), session)
        for body in ('""', '"a b"', '"сессия"', "12", "null", '["a"]', '"a\\nb"'):
            self.assertRefused(answers.session_id, body)

    def test_ids_stay_strings(self):
        body = '["579700854169272358","WD5181DA1","SAR-GW01+79160000000-5f3b-2-1"]'
        self.assertEqual(
            answers.message_ids(answers.load(body)),
            ["579700854169272358", "WD5181DA1", "SAR-GW01+79160000000-5f3b-2-1"],
        )
        for body in (
            "[]", "null", '"1"', "[1]", '["1",2]', '["1",null]', '[""]', '[" "]',
            '["1","1"]', '{"0":"1"}', "[true]",
        ):  # fmt: skip
            self.assertRefused(answers.message_ids, body)

    def test_ids_are_shared_in_the_order_of_the_request(self):
        ids = [str(index) for index in range(6)]
        for numbers, expected in (
            (["a", "b"], {"a": ids[:3], "b": ids[3:]}),
            (["b", "a", "c"], {"b": ids[:2], "a": ids[2:4], "c": ids[4:]}),
            (["a"], {"a": ids}),
        ):
            self.assertEqual(answers.ids_by_number(ids, numbers), expected)
        for count in (4, 5, 7):
            with self.assertRaises(ValueError):
                answers.ids_by_number(ids, [str(index) for index in range(count)])

    def test_state(self):
        state = answers.message_state(answers.load(STATE))
        self.assertEqual(
            state,
            answers.MessageState(
                state=0,
                submitted=datetime(2016, 2, 18, 18, 38, 58, 250000),
                reported=None,
                description="Доставлено",
                price=Decimal("1.5"),
            ),
        )
        bare = answers.message_state(answers.load('{"State":-2,"Price":null}'))
        self.assertEqual((bare.price, bare.description), (None, ""))

    def test_odd_states(self):
        for body in (
            "null", "[]", '"0"', "{}", '{"State":null}', '{"State":"0"}',
            '{"State":true}', '{"State":0.0}', '{"State":2147483648}',
            '{"State":0,"Price":"1.5"}', '{"State":0,"Price":true}',
            '{"State":0,"Price":NaN}', '{"State":0,"StateDescription":5}',
            '{"State":0,"ReportedDateUtc":1455820738000}',
            '{"State":0,"ReportedDateUtc":"2016-02-18"}',
            '{"State":0,"ReportedDateUtc":"/Date(x)/"}',
            '{"State":0,"ReportedDateUtc":"/Date(999999999999999)/"}',
        ):  # fmt: skip
            self.assertRefused(answers.message_state, body)

    def test_dates(self):
        for milliseconds, expected in (
            ("0", datetime(1970, 1, 1)), ("-1000", datetime(1969, 12, 31, 23, 59, 59)),
            ("1294045911213", datetime(2011, 1, 3, 9, 11, 51, 213000)),
        ):  # fmt: skip
            body = f'{{"State":0,"SubmittedDateUtc":"\\/Date({milliseconds})\\/"}}'
            state = answers.message_state(answers.load(body))
            self.assertEqual(state.submitted, expected)

    def test_incoming(self):
        for body in (INCOMING, INCOMING.replace("539187174", '"539187174"')):
            (message,) = answers.incoming(answers.load(body))
            self.assertEqual(
                message,
                answers.IncomingMessage(
                    message_id="539187174",
                    source="79260000000",
                    destination="79160000000",
                    text="test1 \ufffd",
                    created=datetime(2011, 1, 3, 9, 11, 51, 213000),
                ),
            )
        self.assertEqual(answers.incoming([]), [])
        for body in (
            "null",
            "{}",
            "[1]",
            "[{}]",
            INCOMING.replace("539187174", "true"),
        ):
            self.assertRefused(answers.incoming, body)

    def test_statistics(self):
        self.assertEqual(
            answers.statistics(answers.load(STATISTICS)),
            answers.Statistics(0, 1, 2, 56876, 64665, 64666),
        )
        for body in ("[]", "{}", STATISTICS.replace(":2,", ":true,")):
            self.assertRefused(answers.statistics, body)


@tagged("post_install", "-at_install", "sms_devino")
class TestHostileAnswers(BaseCase):
    def test_what_no_database_stores_is_replaced(self):
        body = '{"State": 0, "StateDescription": "a\\u0000b\\ud800c"}'
        state = answers.message_state(answers.load(body))
        self.assertEqual(state.description, "a\ufffdb\ufffdc")
        self.assertEqual(
            answers.error_of(answers.load('{"Code": 9, "Desc": "x\\u0000"}')),
            (9, "x\ufffd"),
        )

    def test_ids_are_short_and_visible(self):
        for hostile in ("1\0", "1\ud800", "1 2", "", "9" * 65):
            with self.subTest(hostile=hostile), self.assertRaises(ValueError):
                answers.message_ids([hostile])

    def test_texts_and_numbers_have_bounds(self):
        state = answers.message_state({"State": 0, "StateDescription": "x" * 10_000})
        self.assertEqual(len(state.description), answers.MAX_TEXT)
        for hostile in ("1.0e16", "1.0e-31", "0." + "1" * 50):
            with self.subTest(hostile=hostile), self.assertRaises(ValueError):
                answers.decimal(answers.load(hostile))


@tagged("post_install", "-at_install", "sms_devino")
class TestRedaction(BaseCase):
    def test_a_secret_in_any_spelling_is_masked(self):
        secret = "p'a<ss>&ж \"/\\😀"
        spellings = (
            secret,
            quote(secret, safe=""),
            quote(secret, safe="").lower(),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            html.escape(secret),
            html.escape(secret).replace("&#x27;", "&#39;"),
            "".join(f"&#{ord(char)};" for char in secret),
            "p\\u0027a\\u003css\\u003E\\u0026ж \\u0022\\/\\\\😀",
        )
        for spelling in spellings:
            with self.subTest(spelling=spelling):
                self.assertEqual(redact(f"<{spelling}>", [secret]), "<***>")

    def test_what_is_no_secret_stays(self):
        self.assertEqual(redact("nothing + here", ["", "secret"]), "nothing + here")
