"""What each answer and each exception means: the tables of the gateway, by tables."""

import inspect
import json
import pickle
import ssl
from http.client import RemoteDisconnected

import requests
import urllib3.exceptions

from odoo.tests import BaseCase, tagged

from ..gateway import (
    MESSAGE_STATUSES,
    OPERATION_STATUSES,
    STATES,
    AccountRefusedError,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
    classify,
    state_info,
)
from ..gateway.errors import MAX_RAW
from ..gateway.verdict import session_refused, unusable

NOT_SENT = NotSentError
MESSAGE = MessageRefusedError
ACCOUNT = AccountRefusedError
UNKNOWN = OutcomeUnknownError
LOGIN = "Error_Invalid_Login"
OFFLINE = "Error_Gateway_Offline"
HEADER = "Error_Invalid_Header"
NULL_ENTRY = (
    "The parameters dictionary contains a null entry for parameter 'maxDateUtc' of "
    "non-nullable type 'DateTime'"
)

# HTTP status, Code, Desc; then what it means for a sending, a reading and a login.
CODES = [
    (400, 1, "SourceAddress can not be null",
     (MESSAGE, "Error_Invalid_Source_Address"),
     (MESSAGE, "Error_Invalid_Source_Address"), (ACCOUNT, LOGIN)),
    (400, 1, "Argument cannot be null or empty",
     (MESSAGE, HEADER), (MESSAGE, HEADER), (ACCOUNT, LOGIN)),
    (400, 1, "MessageID can not be null or empty\r\nParameter name: messageId",
     (MESSAGE, "Error_Invalid_MessageID"), (MESSAGE, "Error_Invalid_MessageID"),
     (ACCOUNT, LOGIN)),
    (400, 2, "Нельзя указывать диапазон дат более 90 дней.",
     (MESSAGE, HEADER), (MESSAGE, HEADER), (ACCOUNT, LOGIN)),
    (400, 3, "Invalid session id", (ACCOUNT, LOGIN), (ACCOUNT, LOGIN),
     (ACCOUNT, LOGIN)),
    (401, 4, "SessionID expired", (ACCOUNT, LOGIN), (ACCOUNT, LOGIN),
     (ACCOUNT, LOGIN)),
    (401, 4, "Invalid user login or password", (ACCOUNT, LOGIN), (ACCOUNT, LOGIN),
     (ACCOUNT, LOGIN)),
    (401, 4, "Invalid password", *[(ACCOUNT, "Error_Invalid_Password")] * 3),
    (400, 6, "Resource is locked",
     (MESSAGE, "Error_Message_Rejected"), (MESSAGE, "Error_Message_Rejected"),
     (ACCOUNT, LOGIN)),
    (400, 6, "Неверно введен адрес отправителя",
     (MESSAGE, "Error_Invalid_Source_Address"),
     (MESSAGE, "Error_Invalid_Source_Address"), (ACCOUNT, LOGIN)),
    (401, 4, "User is not activated",
     *[(ACCOUNT, "Error_SMS_User_Not_Activated")] * 3),
    (403, 5, "Not enough credits", *[(ACCOUNT, "Error_Not_Enough_Credits")] * 3),
    (400, 6, "Invalid source address",
     (MESSAGE, "Error_Invalid_Source_Address"),
     (MESSAGE, "Error_Invalid_Source_Address"), (ACCOUNT, LOGIN)),
    (400, 6, "Invalid destination address",
     (MESSAGE, "Error_Invalid_Destination_Address"),
     (MESSAGE, "Error_Invalid_Destination_Address"), (ACCOUNT, LOGIN)),
    (400, 6, "Invalid operation",
     (MESSAGE, "Error_Message_Rejected"), (MESSAGE, "Error_Message_Rejected"),
     (ACCOUNT, LOGIN)),
    (403, 7, "Forbidden",
     (MESSAGE, "Error_Message_Rejected"), (ACCOUNT, "Error_SMS_User_Disabled"),
     (ACCOUNT, "Error_SMS_User_Disabled")),
    (403, 7, "IP address is not allowed",
     *[(ACCOUNT, "Error_Unauthorised_IP_Address")] * 3),
    (403, 7, "User is blocked", *[(ACCOUNT, "Error_SMS_User_Disabled")] * 3),
    (403, 7, "Account disabled", *[(ACCOUNT, "Error_SMS_User_Disabled")] * 3),
    (500, 8, "Gateway offline", *[(NOT_SENT, OFFLINE)] * 3),
    (500, 8, "Gateway is busy", *[(NOT_SENT, "Error_Gateway_Busy")] * 3),
    (500, 8, "Queue is full", *[(NOT_SENT, "Error_Message_Queue_Full")] * 3),
    # A timeout of the SMS centre has this code too, and the message may be there.
    *[(500, 8, text, (UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE))
      for text in ("", "Gateway error", "Timeout", "Offline, Timeout",
                   "Queue timed out")],
    (500, 9, "Internal server error",
     (UNKNOWN, "Error_Database_Offline"), (NOT_SENT, "Error_Database_Offline"),
     (NOT_SENT, "Error_Database_Offline")),
    (500, 9, NULL_ENTRY, (MESSAGE, HEADER), (MESSAGE, HEADER), (ACCOUNT, LOGIN)),
    # A code decides whatever the HTTP status, 200 included.
    (200, 5, "Not enough credits", *[(ACCOUNT, "Error_Not_Enough_Credits")] * 3),
    # A code nobody documented leaves it to the status.
    (400, 77, "?", (MESSAGE, HEADER), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (500, 77, "?", (UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (200, 0, "OK", (UNKNOWN, None), (NOT_SENT, None), (NOT_SENT, None)),
]  # fmt: skip

# How each operation status of the manual comes about: kind of call, HTTP status, Code,
# Desc. These follow from what the provider documents of its codes.
BY_CODE = {
    "Error_Not_Enough_Credits": ("send", 403, 5, "Not enough credits"),
    "Error_Message_Rejected": ("send", 403, 7, "Forbidden"),
    "Error_Invalid_Source_Address": ("send", 400, 6, "Invalid source address"),
    "Error_Invalid_Header": ("send", 400, 1, "Argument cannot be null or empty"),
    "Error_Invalid_MessageID": (
        "read", 400, 1, "MessageID can not be null or empty Parameter name: messageId",
    ),
    "Error_Invalid_Login": ("login", 401, 4, "Invalid user login or password"),
    "Error_SMS_User_Disabled": ("read", 403, 7, "Forbidden"),
    "Error_Gateway_Offline": ("send", 500, 8, "Gateway error"),
    "Error_Database_Offline": ("send", 500, 9, "Internal server error"),
}  # fmt: skip
# The REST protocol has no code for these: they are names of the provider's older SOAP
# service. Only the words of an answer can tell them, and of these words only those
# about the destination were ever seen; the others are inference. Whether the provider
# ever says them is not known.
BY_WORDS = {
    "Error_Invalid_Destination_Address": (
        "send", 400, 6, "Invalid destination address",
    ),
    "Error_Invalid_Password": ("login", 401, 4, "Invalid password"),
    "Error_Unauthorised_IP_Address": ("login", 403, 7, "IP address is not allowed"),
    "Error_SMS_User_Not_Activated": ("login", 401, 4, "User is not activated"),
    "Error_Message_Queue_Full": ("send", 500, 8, "Queue is full"),
    "Error_Gateway_Busy": ("send", 500, 8, "Gateway is busy"),
}  # fmt: skip

# The same for answers without a code.
STATUSES = [
    (200, (UNKNOWN, None), (NOT_SENT, None), (NOT_SENT, None)),
    (204, (UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (301, (ACCOUNT, OFFLINE), (NOT_SENT, OFFLINE), (ACCOUNT, OFFLINE)),
    (302, (UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (303, (UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (307, (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (308, (ACCOUNT, OFFLINE), (NOT_SENT, OFFLINE), (ACCOUNT, OFFLINE)),
    (400, (MESSAGE, HEADER), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (401, (ACCOUNT, LOGIN), (ACCOUNT, LOGIN), (ACCOUNT, LOGIN)),
    (403, (ACCOUNT, "Error_SMS_User_Disabled"),
     (ACCOUNT, "Error_SMS_User_Disabled"), (ACCOUNT, LOGIN)),
    (404, (ACCOUNT, OFFLINE), (NOT_SENT, OFFLINE), (ACCOUNT, OFFLINE)),
    (407, (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (408, (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (413, (MESSAGE, HEADER), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (429, *[(NOT_SENT, "Error_Gateway_Busy")] * 3),
    (500, (UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (502, (UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
    (503, (UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)),
]  # fmt: skip


def _new_connection_error():
    return urllib3.exceptions.NewConnectionError(None, "refused")


def _connection_error(reason):
    """A failure the way `requests` wraps it."""
    return requests.ConnectionError(
        urllib3.exceptions.MaxRetryError(None, "/", reason=reason)
    )


# What may have reached the provider, or must be taken so for want of proof.
UNPROVEN = {
    requests.RequestException, requests.HTTPError, requests.ConnectionError,
    requests.exceptions.ProxyError, requests.exceptions.SSLError,
    requests.Timeout, requests.ReadTimeout, requests.URLRequired,
    requests.TooManyRedirects, requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.StreamConsumedError, requests.exceptions.RetryError,
    requests.exceptions.UnrewindableBodyError,
    requests.exceptions.InvalidJSONError, requests.exceptions.JSONDecodeError,
}  # fmt: skip
BAD_ADDRESS = {
    requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL, requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidHeader,
}  # fmt: skip
CONNECTING = {requests.exceptions.ConnectTimeout}


@tagged("post_install", "-at_install", "sms_devino")
class TestVerdict(BaseCase):
    def assertVerdicts(self, expected, **facts):
        for call, (kind, status) in zip(
            ("send", "read", "login"), expected, strict=True
        ):
            with self.subTest(call=call, **facts):
                error = classify(kind=call, **facts)
                self.assertIs(type(error), kind)
                self.assertEqual(error.operation_status, status)
                self.assertEqual(error.http_status, facts.get("http_status"))

    def test_every_code(self):
        for http_status, code, description, *expected in CODES:
            body = f'{{"Code":{code},"Desc":"{description}"}}'
            body = body.replace("\r\n", r"\r\n")
            self.assertVerdicts(expected, http_status=http_status, body=body)
            error = classify(kind="send", http_status=http_status, body=body)
            self.assertEqual((error.code, error.description), (code, description))

    def test_every_status_without_code(self):
        for http_status, *expected in STATUSES:
            for body in ("", "<html>nginx</html>", None):
                self.assertVerdicts(expected, http_status=http_status, body=body)

    def test_success_is_only_json_with_status_200(self):
        for body in ('["1"]', "20015.3", '"C619"', '{"State":0}', "[]", "null"):
            self.assertIsNone(classify(kind="send", http_status=200, body=body))
        for body in ("", "NaN", "[-Infinity]", '["1"', "[" * 100000, "{'Code':4}"):
            error = classify(kind="send", http_status=200, body=body)
            self.assertIs(type(error), UNKNOWN, body[:20])
            self.assertEqual(error.description, "unreadable answer")
        error = classify(kind="send", http_status=201, body='["1"]')
        self.assertIs(type(error), UNKNOWN)

    def test_a_code_is_a_whole_number(self):
        for code in ("true", '"4"', "4.0", "null"):
            body = f'{{"Code":{code}}}'
            self.assertIsNone(classify(kind="read", http_status=200, body=body))
        error = classify(kind="send", http_status=400, body='{"Code":1,"Desc":7}')
        self.assertEqual((error.code, error.description), (1, ""))

    def test_every_requests_exception(self):
        """None that a release of requests knows is missing from the tables."""
        known = {
            kind
            for _name, kind in inspect.getmembers(requests.exceptions, inspect.isclass)
            if issubclass(kind, requests.RequestException)
        }
        self.assertEqual(known - UNPROVEN - BAD_ADDRESS - CONNECTING, set())
        for kinds, expected in (
            (UNPROVEN, [(UNKNOWN, OFFLINE), (NOT_SENT, OFFLINE), (NOT_SENT, OFFLINE)]),
            (BAD_ADDRESS, [(ACCOUNT, OFFLINE)] * 3),
            (CONNECTING, [(NOT_SENT, OFFLINE)] * 3),
        ):
            for kind in kinds:
                is_json = kind is requests.exceptions.JSONDecodeError
                exception = kind("?", "", 0) if is_json else kind("?")
                self.assertVerdicts(expected, exception=exception)

    def test_only_proof_makes_a_sending_not_sent(self):
        proxy_error = urllib3.exceptions.ProxyError
        timed_out = urllib3.exceptions.ConnectTimeoutError()
        certificate = ssl.SSLCertVerificationError("expired")
        lost = urllib3.exceptions.ProtocolError("aborted", RemoteDisconnected())
        cut = ssl.SSLEOFError("EOF occurred in violation of protocol")
        for exception, kind in (
            (_connection_error(_new_connection_error()), NOT_SENT),
            (_connection_error(timed_out), NOT_SENT),
            (_connection_error(proxy_error("?", _new_connection_error())), NOT_SENT),
            (requests.exceptions.SSLError(certificate), NOT_SENT),
            (requests.ConnectionError(ConnectionRefusedError()), NOT_SENT),
            (
                requests.ConnectionError(
                    urllib3.exceptions.ClosedPoolError(None, "closed")
                ),
                NOT_SENT,
            ),
            (_connection_error(proxy_error("?", ConnectionResetError())), UNKNOWN),
            (_connection_error(urllib3.exceptions.SSLError(cut)), UNKNOWN),
            (requests.ConnectionError(lost), UNKNOWN),
            (OSError("Could not find a TLS CA certificate bundle"), UNKNOWN),
        ):
            with self.subTest(exception=repr(exception)):
                self.assertIs(type(classify(kind="send", exception=exception)), kind)

    def test_text_that_cannot_be_written_as_utf_8(self):
        with self.assertRaises(UnicodeEncodeError) as caught:
            "\ud83d".encode()
        exception = caught.exception
        expected = [(MESSAGE, HEADER), (MESSAGE, HEADER), (ACCOUNT, LOGIN)]
        self.assertVerdicts(expected, exception=exception)

    def test_a_refusal_stays_one_when_its_body_was_cut(self):
        cut = requests.exceptions.ChunkedEncodingError()
        for http_status, kind in ((200, UNKNOWN), (401, ACCOUNT), (429, NOT_SENT)):
            error = classify(
                kind="send", exception=cut, http_status=http_status, body='{"Co'
            )
            self.assertIs(type(error), kind)
            self.assertEqual(error.raw, '{"Co')

    def test_retry_after(self):
        for http_status, seconds, kind in (
            (429, None, NOT_SENT), (429, 7.0, NOT_SENT), (503, 7.0, NOT_SENT),
        ):  # fmt: skip
            error = classify(kind="send", http_status=http_status, retry_after=seconds)
            self.assertIs(type(error), kind)
            self.assertEqual(error.retry_after, seconds)

    def test_unusable_answer(self):
        error = unusable("send", '["1","2","3"]', "wrong count")
        self.assertIs(type(error), UNKNOWN)
        self.assertEqual(error.raw, '["1","2","3"]')
        self.assertEqual((error.description, error.http_status), ("wrong count", 200))
        self.assertIs(type(unusable("read", "[]", "no")), NOT_SENT)

    def test_session_refused(self):
        for http_status, body, expected in (
            (401, "", True), (400, '{"Code":3}', True), (401, '{"Code":4}', True),
            (403, '{"Code":7}', False), (400, '{"Code":1}', False), (500, "", False),
        ):  # fmt: skip
            error = classify(kind="send", http_status=http_status, body=body)
            self.assertEqual(session_refused(error), expected, body)

    def test_raw_is_cut_and_free_of_secrets(self):
        password = 'p"ä&+ß/'
        session = "C619DF83829F4C3094CB54F4D62878786B5B"
        body = (
            "<p>Login=demo-login Password=p%22%C3%A4%26%2B%C3%9F%2F "
            'p&quot;ä&amp;+ß/ p\\"ä&+ß/ p\\"\\u00e4&+\\u00df/ '
            f'p"ä&+ß/ {session}</p>' + "x" * 5000
        )
        error = classify(
            kind="send",
            http_status=500,
            body=body,
            secrets=("demo-login", password, session, ""),
        )
        self.assertEqual(len(error.raw), MAX_RAW)
        self.assertTrue(
            error.raw.startswith(
                "<p>Login=*** Password=*** *** *** *** *** ***</p>xxx"
            ),
            error.raw[:100],
        )

    def test_an_odd_answer_to_a_login_does_not_leak_its_session(self):
        body = '{"Session":"C619DF83829F4C3094CB54F4D62878786B5B"}'
        error = unusable("login", body, "not a session id")
        self.assertEqual(error.raw, '{"Session":"***"}')

    def test_the_text_of_an_error_is_safe_for_logs(self):
        body = '{"Code":6,"Desc":"Invalid destination address 79160000000: secret"}'
        error = classify(kind="send", http_status=400, body=body, secrets=("secret",))
        self.assertEqual(
            str(error),
            "MessageRefusedError Error_Invalid_Destination_Address HTTP 400 Code 6",
        )
        self.assertEqual(
            error.description, "Invalid destination address 79160000000: ***"
        )
        self.assertEqual(str(NotSentError()), "NotSentError")

    def test_an_error_can_be_pickled(self):
        error = classify(kind="send", http_status=429, retry_after=3.0)
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual(vars(again), vars(error))


@tagged("post_install", "-at_install", "sms_devino")
class TestTables(BaseCase):
    def test_names_of_the_manual(self):
        self.assertEqual(len(dict(OPERATION_STATUSES)), 16)
        self.assertEqual(OPERATION_STATUSES[0][0], "OK_Operation_Completed")
        self.assertEqual(OPERATION_STATUSES[-1][0], "Error_Database_Offline")
        self.assertEqual(len(dict(MESSAGE_STATUSES)), 9)
        self.assertEqual(MESSAGE_STATUSES[-1][0], "Unrecognized")

    def test_each_operation_status_is_reached_from_an_answer(self):
        """All but the first, which stands for an answer that is no error."""
        reached = {**BY_CODE, **BY_WORDS}
        self.assertFalse(BY_CODE.keys() & BY_WORDS.keys())
        self.assertEqual(
            {"OK_Operation_Completed", *reached}, set(dict(OPERATION_STATUSES))
        )
        for status, (kind, http_status, code, description) in reached.items():
            body = json.dumps({"Code": code, "Desc": description})
            with self.subTest(status):
                error = classify(kind=kind, http_status=http_status, body=body)
                self.assertEqual(error.operation_status, status)
        self.assertIsNone(classify(kind="send", http_status=200, body='["1"]'))

    def test_status_by_words_needs_the_words(self):
        """The same code without them is another status of the manual."""
        for status, (kind, http_status, code, _description) in BY_WORDS.items():
            body = json.dumps({"Code": code, "Desc": "?"})
            with self.subTest(status):
                error = classify(kind=kind, http_status=http_status, body=body)
                self.assertIn(error.operation_status, BY_CODE)

    def test_every_verdict_has_a_name_of_the_manual(self):
        statuses = {status for row in CODES for _kind, status in row[3:]}
        statuses |= {status for row in STATUSES for _kind, status in row[1:]}
        self.assertLessEqual(statuses - {None}, set(dict(OPERATION_STATUSES)))

    def test_states(self):
        for state, info in STATES.items():
            self.assertEqual(info.state, state)
            self.assertIn(info.message_status, dict(MESSAGE_STATUSES))
            self.assertEqual(info.delivered, state == 0)
        final = {info.state for info in STATES.values() if info.final}
        self.assertEqual(final, {-97, -3, 0, 8, 10, 11, 41, 42, 46, 47, 48, 69})
        for state, status in (
            (-2, "Enqueued"), (-40, "Enqueued"), (-1, "Sent"), (-20, "Sent"),
            (-30, "Delivered_To_Gateway"), (0, "Delivered_To_Recipient"),
            (10, "Error_Invalid_Source_Address"),
            (41, "Error_Invalid_Destination_Address"), (42, "Error_Rejected"),
            (46, "Error_Expired"), (48, "Error_Rejected"), (255, "Unrecognized"),
        ):  # fmt: skip
            self.assertEqual(state_info(state).message_status, status)

    def test_a_number_nobody_documented(self):
        info = state_info(1234)
        self.assertEqual((info.state, info.message_status), (1234, "Unrecognized"))
        self.assertFalse(info.final or info.delivered)
