"""Asking the provider for the messages that an account received."""

from ..gateway import GatewayError, NotSentError
from ..gateway.pool import within

SECONDS = 20.0


def ask_incoming(account, since, until):
    """Ask for what was received in a period; writes nothing.

    :param since: naive UTC, at most a year ago
    :param until: naive UTC
    :return: list of :class:`IncomingMessage`, or the :class:`GatewayError` that it
        ended with
    :raise UserError: when the account may not be asked now
    """
    client = account._get_client()
    answers = []

    def ask():
        try:
            answers.append(client.incoming(since, until))
        except GatewayError as error:
            answers.append(error)

    within(SECONDS, ask)
    if not answers:
        return NotSentError(operation_status="Error_Gateway_Offline")
    return answers[0]
