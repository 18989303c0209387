"""What an answer, or the lack of one, means for the caller.

The tables are the provider's documentation. What it leaves open is decided here and
nowhere else, always by one rule: a message sent twice is worse than a message that a
person has to look up. So a sending counts as "not sent" only on proof.
"""

import re
import ssl
from collections.abc import Iterable
from typing import Literal, NamedTuple

import requests
import urllib3.exceptions

from . import answers
from .errors import (
    MAX_RAW,
    AccountRefusedError,
    GatewayError,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
)
from .redact import redact, redact_sessions

CallKind = Literal["login", "send", "read"]

# A wrong server address in the account's settings: waiting does not help.
_BAD_ADDRESS = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    urllib3.exceptions.LocationValueError,
)
# Each can only arise before there is a connection.
_NEVER_CONNECTED = (
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ClosedPoolError,
    urllib3.exceptions.EmptyPoolError,
    ssl.SSLCertVerificationError,
    ConnectionRefusedError,
)


class _Verdict(NamedTuple):
    error: type[GatewayError]
    operation_status: str | None


_INVALID_LOGIN = _Verdict(AccountRefusedError, "Error_Invalid_Login")
_WRONG_ADDRESS = _Verdict(AccountRefusedError, "Error_Gateway_Offline")
_OFFLINE = _Verdict(NotSentError, "Error_Gateway_Offline")
_BUSY = _Verdict(NotSentError, "Error_Gateway_Busy")
_QUEUE_FULL = _Verdict(NotSentError, "Error_Message_Queue_Full")
# Words of Code 8 (inference, from the names of the statuses).
_TURNED_AWAY = (("queue", _QUEUE_FULL), ("busy", _BUSY), ("offline", _OFFLINE))


def classify(
    *,
    kind: CallKind,
    exception: Exception | None = None,
    is_sent: bool = True,
    http_status: int | None = None,
    body: str | None = None,
    retry_after: float | None = None,
    secrets: Iterable[str] = (),
) -> GatewayError | None:
    """Decide the outcome of a call.

    :param kind: "login", "send" (whatever makes the provider accept a message) or
        "read".
    :param exception: what the exchange ended with, if it did not end well.
    :param is_sent: ``False`` when the request surely did not leave.
    :param http_status: status of the answer, if one came.
    :param body: the answer as text, or the part of it that came.
    :param retry_after: seconds asked for by the answer's ``Retry-After``.
    :param secrets: strings to keep out of the error.
    :return: the error to raise, or ``None`` when the answer is a success, that is
        HTTP 200 with JSON that is no error.
    """
    is_json, error = _read(body)
    code, description = error or (None, "")
    if exception is not None and http_status in (None, 200):
        verdict = _by_exception(kind, exception, is_sent)
        description = _name(exception)
    elif code in _BY_CODE:
        verdict = _BY_CODE[code](kind, description.lower())
    elif http_status == 200 and is_json and error is None:
        return None
    elif http_status == 200:
        verdict = _Verdict(_no_answer(kind), None)
        description = description or "unreadable answer"
    else:
        verdict = _by_http_status(kind, http_status, retry_after)
    facts = {"http_status": http_status, "code": code, "description": description}
    return _build(kind, verdict, facts, body, secrets, retry_after)


def unusable(
    kind: CallKind, body: str, reason: str, secrets: Iterable[str] = ()
) -> GatewayError:
    """The error for an HTTP 200 answer in JSON that is not what the call promises: a
    sending was accepted, yet its ids are not to be had.

    :param reason: what is wrong with it, quoting nothing of it.
    """
    verdict = _Verdict(_no_answer(kind), None)
    facts = {"http_status": 200, "description": reason}
    return _build(kind, verdict, facts, body, secrets)


def session_refused(error: GatewayError) -> bool:
    """Whether a new session may help. The provider documents 401 with Code 4 for an
    expired session and Code 3 for an invalid one; clients have met either."""
    return error.http_status == 401 or error.code in (3, 4)


def _build(kind, verdict, facts, body, secrets, retry_after=None) -> GatewayError:
    raw = redact(body or "", secrets)
    if kind == "login":
        raw = redact_sessions(raw)
    facts["description"] = redact(facts["description"], secrets)[:MAX_RAW]
    if verdict.error is NotSentError:
        facts["retry_after"] = retry_after
    return verdict.error(
        operation_status=verdict.operation_status, raw=raw[:MAX_RAW], **facts
    )


def _read(body: str | None) -> tuple[bool, tuple[int, str] | None]:
    try:
        value = answers.load(body or "")
    except ValueError:
        return False, None
    return True, answers.error_of(value)


def _name(exception: Exception) -> str:
    return type(exception).__name__


def _no_answer(kind: CallKind) -> type[GatewayError]:
    return OutcomeUnknownError if kind == "send" else NotSentError


# --- no complete answer ---------------------------------------------------------------


def _by_exception(kind: CallKind, exception: Exception, is_sent: bool) -> _Verdict:
    if isinstance(exception, UnicodeEncodeError):
        # The text (half a surrogate pair) or the login cannot be written as UTF-8.
        if kind == "login":
            return _INVALID_LOGIN
        return _Verdict(MessageRefusedError, "Error_Invalid_Header")
    if isinstance(exception, _BAD_ADDRESS):
        return _WRONG_ADDRESS
    if not is_sent or _never_connected(exception):
        return _OFFLINE
    return _Verdict(_no_answer(kind), "Error_Gateway_Offline")


def _never_connected(exception: BaseException | None) -> bool:
    """Whether the exception proves that no connection stood. `requests` wraps the
    proof: its ConnectionError, SSLError and ProxyError alone also arise on a
    connection lost after the request."""
    while isinstance(exception, BaseException):
        if isinstance(exception, _NEVER_CONNECTED):
            return True
        exception = (
            getattr(exception, "reason", None)
            or getattr(exception, "original_error", None)
            or next(iter(exception.args), None)
        )
    return False


# --- the provider's codes -------------------------------------------------------------


# "Invalid source address" is documented, "Invalid destination address" was seen in one
# client, the other words are inference; the Russian ones are those of the states.
_ARGUMENTS = (
    (r"\bsource ?address|\bsource\b|отправител", "Error_Invalid_Source_Address"),
    (
        r"\bdestination ?address|\bdestination\b|получател",
        "Error_Invalid_Destination_Address",
    ),
    (r"\bmessage ?id\b", "Error_Invalid_MessageID"),
)


def _invalid_argument(kind: CallKind, description: str) -> _Verdict:
    """Codes 1, 2 and 6: the words of the description say which argument it was."""
    if kind == "login":
        return _invalid_login(description)
    for words, status in _ARGUMENTS:
        if re.search(words, description):
            return _Verdict(MessageRefusedError, status)
    return _Verdict(MessageRefusedError, "Error_Invalid_Header")


def _invalid_operation(kind: CallKind, description: str) -> _Verdict:
    verdict = _invalid_argument(kind, description)
    if verdict.operation_status == "Error_Invalid_Header":
        return _Verdict(MessageRefusedError, "Error_Message_Rejected")
    return verdict


def _unauthorized(_kind: CallKind, description: str) -> _Verdict:
    """Codes 3 and 4."""
    return _account_state(description) or _invalid_login(description)


def _invalid_login(description: str) -> _Verdict:
    """The provider does not tell a wrong login from a wrong password by its code. That
    the words may name the password alone is inference."""
    if re.search(r"password|парол", description) and not re.search(
        r"login|user|логин|пользовател", description
    ):
        return _Verdict(AccountRefusedError, "Error_Invalid_Password")
    return _INVALID_LOGIN


def _no_credits(_kind: CallKind, _description: str) -> _Verdict:
    return _Verdict(AccountRefusedError, "Error_Not_Enough_Credits")


def _forbidden(kind: CallKind, description: str) -> _Verdict:
    """Code 7, "Forbidden", which an official client calls "anti-spam". Inference: on
    a sending it concerns the message, elsewhere the account."""
    verdict = _account_state(description)
    if verdict is None and kind == "send":
        verdict = _Verdict(MessageRefusedError, "Error_Message_Rejected")
    return verdict or _Verdict(AccountRefusedError, "Error_SMS_User_Disabled")


def _account_state(description: str) -> _Verdict | None:
    """States of an account that have a status of their own in the manual but no code:
    told by the words of the description (inference)."""
    for words, status in (
        ("ip address", "Error_Unauthorised_IP_Address"),
        ("not activated", "Error_SMS_User_Not_Activated"),
        ("disabled", "Error_SMS_User_Disabled"),
        ("blocked", "Error_SMS_User_Disabled"),
    ):
        if words in description:
            return _Verdict(AccountRefusedError, status)
    return None


def _gateway_error(kind: CallKind, description: str) -> _Verdict:
    """Code 8, an error of the SMS centre behind the provider: "Offline, Timeout etc."
    (documented; no text of it is on record). After a timeout the centre may have the
    message, and the code does not say which of them it was. So only words that name
    a refusal prove that nothing was sent."""
    if "timeout" not in description and "timed out" not in description:
        for words, verdict in _TURNED_AWAY:
            if words in description:
                return verdict
    return _Verdict(_no_answer(kind), "Error_Gateway_Offline")


def _internal_error(kind: CallKind, description: str) -> _Verdict:
    """Code 9, an unhandled exception: anywhere, so also after the acceptance. The
    one text on record means a parameter missing."""
    if "parameters dictionary contains a null entry" in description:
        return _invalid_argument(kind, "")
    return _Verdict(_no_answer(kind), "Error_Database_Offline")


_BY_CODE = {
    1: _invalid_argument,
    2: _invalid_argument,
    3: _unauthorized,
    4: _unauthorized,
    5: _no_credits,
    6: _invalid_operation,
    7: _forbidden,
    8: _gateway_error,
    9: _internal_error,
}

# --- answers without a known code: not the provider's application ---------------------

# Nothing at this address takes such calls, or says for good that it is another one.
_ADDRESS_STATUSES = (301, 308, 404, 405, 410)
# Says that the request was not handled: redirect to be repeated elsewhere, proxy wants
# a login, request not complete, too early, too many.
_UNHANDLED_STATUSES = (307, 407, 408, 425)


def _by_http_status(
    kind: CallKind, http_status: int | None, retry_after: float | None
) -> _Verdict:
    """Redirects are never followed, as one would repeat the sending or show the login
    to a stranger. 301, 307 and 308 tell to repeat the request, so it was not handled;
    302 and 303 may also follow a request that was handled (ASP.NET shows its error
    pages that way)."""
    if http_status == 401 or (http_status == 403 and kind == "login"):
        return _INVALID_LOGIN
    if http_status == 403:
        return _Verdict(AccountRefusedError, "Error_SMS_User_Disabled")
    if http_status == 429 or (http_status == 503 and retry_after is not None):
        return _BUSY
    if http_status in _UNHANDLED_STATUSES:
        return _OFFLINE
    if kind != "read" and http_status in _ADDRESS_STATUSES:
        return _WRONG_ADDRESS
    if kind == "send" and http_status is not None and 400 <= http_status < 500:
        return _Verdict(MessageRefusedError, "Error_Invalid_Header")
    return _Verdict(_no_answer(kind), "Error_Gateway_Offline")
