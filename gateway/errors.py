"""What can go wrong with a call, named by what the caller can do next."""

MAX_RAW = 2000


class GatewayError(Exception):
    """A call to the provider that gave no usable answer.

    :param http_status: status of the answer, ``None`` when there was none.
    :param code: the provider's ``Code`` (1-9 are documented), ``None`` without one.
    :param description: the provider's ``Desc``, or the kind of failure. It may quote
        what was sent: show it to people, keep it out of logs.
    :param operation_status: one of :data:`codes.OPERATION_STATUSES`, or ``None``.
    :param raw: the body as it came, free of secrets, at most ``MAX_RAW`` characters.

    ``str()`` of it holds neither numbers, texts nor secrets and is safe for logs.
    """

    def __init__(
        self,
        *,
        http_status: int | None = None,
        code: int | None = None,
        description: str = "",
        operation_status: str | None = None,
        raw: str = "",
    ):
        super().__init__()
        self.http_status = http_status
        self.code = code
        self.description = description
        self.operation_status = operation_status
        self.raw = raw

    def __str__(self):
        facts = [type(self).__name__]
        if self.operation_status:
            facts.append(self.operation_status)
        if self.http_status is not None:
            facts.append(f"HTTP {self.http_status}")
        if self.code is not None:
            facts.append(f"Code {self.code}")
        return " ".join(facts)


class NotSentError(GatewayError):
    """Surely not sent (or, when reading, no answer): the same call may be made later.

    :param retry_after: seconds the provider asks to wait, ``None`` if it did not say.
    """

    def __init__(self, *, retry_after: float | None = None, **facts):
        super().__init__(**facts)
        self.retry_after = retry_after


class MessageRefusedError(GatewayError):
    """Refused for this message, number or sender: other messages may pass."""


class AccountRefusedError(GatewayError):
    """Refused for the account (login, credits, blocked, wrong server address):
    nothing passes until a person has acted."""


class OutcomeUnknownError(GatewayError):
    """The message may have been accepted: never send it again automatically."""
