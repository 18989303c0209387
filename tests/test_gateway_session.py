"""One session for all threads, and the clients that a process shares."""

import threading

from requests.adapters import HTTPAdapter

from odoo.tests import BaseCase, tagged

from ..gateway import (
    AccountRefusedError,
    Credentials,
    NotSentError,
    get_client,
)
from ..gateway.session import EARLY_SECONDS, SessionKeeper
from ..gateway.shared import MAX_CLIENTS

LIFE = 120 * 60 - EARLY_SECONDS


def _in_threads(count, call):
    """What ``call`` returns or raises in each of ``count`` threads."""
    results = []

    def run():
        try:
            results.append(call())
        except Exception as err:
            results.append(err)

    threads = [threading.Thread(target=run) for _index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Logins:
    """A login that counts itself and waits for ``go``."""

    def __init__(self, error=None):
        self.count = 0
        self.error = error
        self.go = threading.Event()

    def __call__(self):
        self.count += 1
        self.go.wait(5)
        if self.error:
            raise self.error
        return f"session-{self.count}"


@tagged("post_install", "-at_install", "sms_devino")
class TestSessionKeeper(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = 0.0
        self.logins = Logins()
        self.logins.go.set()
        self.keeper = SessionKeeper(self.logins, lambda: self.now)

    def test_kept_until_a_little_before_its_end(self):
        for now, expected in (
            (0.0, "session-1"), (LIFE - 1, "session-1"), (LIFE, "session-2"),
            (2 * LIFE - 1, "session-2"), (2 * LIFE, "session-3"),
        ):  # fmt: skip
            self.now = now
            self.assertEqual(self.keeper.get(), expected)

    def test_a_refused_session_is_replaced_once(self):
        first = self.keeper.get()
        self.assertEqual(self.keeper.replace(first), "session-2")
        self.assertEqual(self.keeper.replace(first), "session-2")
        self.assertEqual(self.keeper.get(), "session-2")

    def test_renewed_on_demand(self):
        self.keeper.get()
        self.assertEqual(self.keeper.renew(), "session-2")
        self.assertEqual(self.keeper.get(), "session-2")

    def _crowd(self, error):
        """Eight threads that all want a session while the login is under way."""
        logins = Logins(error)
        arrived = threading.Semaphore(0)

        def clock():
            arrived.release()
            return 0.0

        keeper = SessionKeeper(logins, clock)

        def release():
            # The clock is read on arrival by each, and by the one that logs in.
            for _reading in range(9):
                arrived.acquire(timeout=5)
            logins.go.set()

        releaser = threading.Thread(target=release)
        releaser.start()
        results = _in_threads(8, keeper.get)
        releaser.join()
        return logins, results

    def test_threads_share_one_login(self):
        logins, results = self._crowd(None)
        self.assertEqual(results, ["session-1"] * 8)
        self.assertEqual(logins.count, 1)

    def test_threads_share_one_failure(self):
        error = AccountRefusedError(
            http_status=401, code=4, operation_status="Error_Invalid_Login"
        )
        logins, results = self._crowd(error)
        self.assertEqual(logins.count, 1)
        self.assertEqual({type(one) for one in results}, {AccountRefusedError})
        self.assertEqual({str(one) for one in results}, {str(error)})
        self.assertEqual(len({id(one) for one in results}), 8)

    def test_a_failure_is_not_kept(self):
        self.logins.error = NotSentError()
        for _count in range(2):
            with self.assertRaises(NotSentError):
                self.keeper.get()
        self.logins.error = None
        self.assertEqual(self.keeper.get(), "session-3")


@tagged("post_install", "-at_install", "sms_devino")
class TestSharedClients(BaseCase):
    def credentials(self, **changes):
        facts = {"url": "http://127.0.0.1:1", "login": "demo", "password": "secret"}
        return Credentials(**{**facts, **changes})

    def test_one_client_for_the_same_credentials(self):
        client = get_client(self.credentials())
        self.assertIs(get_client(self.credentials()), client)
        for changes in (
            {"password": "new"}, {"login": "other"}, {"url": "http://127.0.0.1:2"},
        ):  # fmt: skip
            self.assertIsNot(get_client(self.credentials(**changes)), client)

    def test_an_adapter_makes_another_client(self):
        client = get_client(self.credentials())
        made = []

        def factory():
            made.append(HTTPAdapter())
            return made[-1]

        adapted = get_client(self.credentials(), adapter_factory=factory)
        self.assertIsNot(adapted, client)
        self.assertIs(get_client(self.credentials(), adapter_factory=factory), adapted)
        self.assertEqual(len(made), 1)
        self.assertIs(get_client(self.credentials()), client)

    def test_only_so_many_are_kept(self):
        first = get_client(self.credentials(login="0"))
        second = get_client(self.credentials(login="1"))
        get_client(self.credentials(login="0"))
        for login in range(2, MAX_CLIENTS + 1):
            get_client(self.credentials(login=str(login)))
        self.assertIs(get_client(self.credentials(login="0")), first)
        self.assertIsNot(get_client(self.credentials(login="1")), second)

    def test_secrets_stay_out_of_the_repr(self):
        text = repr(self.credentials(login="company", password="s3cret"))
        self.assertNotIn("company", text)
        self.assertNotIn("s3cret", text)

    def test_threads_get_the_same(self):
        clients = _in_threads(8, lambda: get_client(self.credentials()))
        self.assertEqual(len({id(client) for client in clients}), 1)
