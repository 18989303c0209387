"""What becomes of a message: by the last two digits of its number and by its age."""

from dataclasses import dataclass
from decimal import Decimal

#: Seconds after which the provider knows, queues and submits a message (ours).
KNOWN_AFTER, SUBMITTED_AFTER = 2.0, 4.0
#: After this every message reports 255 (documented).
MEMORY = 48 * 3600.0

UNKNOWN, QUEUED, SENT, DELIVERED = 255, -2, -1, 0
EXPIRED = 46

#: Russian texts: documented by the provider, two of them seen in clients.
DESCRIPTIONS = {
    -2: "В очереди",
    -1: "Отправлено",
    0: "Доставлено",
    10: "Неверно введен адрес отправителя",
    11: "Неверно введен адрес получателя",
    41: "Недопустимый адрес получателя",
    42: "Отклонено смс-центром",
    46: "Просрочено",
    47: "Удалено",
    48: "Отклонено Платформой",
    69: "Отклонено",
}
UNKNOWN_DESCRIPTION = "Неизвестный"


@dataclass(frozen=True)
class Fate:
    """``state`` after ``seconds`` from sending; None = never reported.

    ``even_state``: that of the even segments, where it differs.
    ``refused``: the provider does not even accept the number.
    """

    label: str
    state: int = DELIVERED
    seconds: float = 10.0
    even_state: int = None
    refused: bool = False


ORDINARY = Fate("delivered after 10 s")
#: Instead of the last two digits, where they decide nothing.
NO_ENDING = ""
FATES = {
    "80": Fate("a state nobody documented (1234)", 1234),
    "81": Fate("delivered after an hour", seconds=3600.0),
    "82": Fate("invalid source address (10)", 10),
    "90": Fate("expired after 20 s (46)", EXPIRED, 20.0),
    "91": Fate("rejected by the SMS centre (42)", 42),
    "92": Fate("invalid destination address (11)", 11),
    "93": Fate("incompatible destination (41)", 41),
    "94": Fate("deleted (47)", 47),
    "95": Fate("rejected by the platform (48)", 48),
    "96": Fate("rejected (69)", 69),
    "97": Fate("odd segments delivered, even ones expired", even_state=EXPIRED),
    "98": Fate("never reported: stays sent (-1)", None),
    "99": Fate("refused at once: 400, Code 6", refused=True),
}


def fate_of(number):
    """The Fate of a number (or of its last two digits)."""
    return FATES.get(number[-2:], ORDINARY)


def fates_rows():
    """The magic endings and what becomes of their messages, in words."""
    rows = [(f"…{ending}", fate.label) for ending, fate in FATES.items()]
    return [*rows, ("other", ORDINARY.label)]


@dataclass(frozen=True)
class Segment:
    """One segment of an accepted message.

    ``ending``: the number's last two digits. ``index`` from 1. Times in seconds since
    1970; ``starts_at`` is later than ``accepted_at`` for a delayed message.
    ``validity``: minutes or None.
    """

    ending: str
    index: int
    total: int
    accepted_at: float
    starts_at: float
    validity: int
    price: Decimal

    def end(self):
        """``(state, seconds after the start)`` in which it ends, or None if never.

        What has no end when its validity is over ends in 46 (documented).
        """
        fate = fate_of(self.ending)
        validity = (self.validity or 0) * 60.0
        if validity and (fate.state is None or validity < fate.seconds):
            return EXPIRED, validity
        if fate.state is None:
            return None
        odd = self.index % 2 or fate.even_state is None
        return fate.state if odd else fate.even_state, fate.seconds


@dataclass(frozen=True)
class Progress:
    """A state and its moments, in seconds since 1970 or None."""

    state: int
    submitted: float = None
    reported: float = None
    changed: float = None


def progress(segment, now, speed):
    """What Sms/State tells of a segment: 255 at first and after 48 h.

    :param float now: seconds since 1970
    :param float speed: the network is so many times quicker; validity is measured by
        the network's time, so that the fate does not depend on the speed
    """
    if now - segment.accepted_at < KNOWN_AFTER / speed:
        return Progress(UNKNOWN)
    if now - segment.starts_at > MEMORY:
        return Progress(UNKNOWN)
    return life(segment, now, speed)


def life(segment, now, speed):
    """The same without the provider's forgetting."""
    age = (now - segment.starts_at) * speed
    submitted = segment.starts_at + SUBMITTED_AFTER / speed
    end = segment.end()
    if end and age >= end[1]:
        reported = segment.starts_at + end[1] / speed
        return Progress(end[0], min(submitted, reported), reported, reported)
    if age >= SUBMITTED_AFTER:
        return Progress(SENT, submitted, changed=submitted)
    return Progress(QUEUED, changed=segment.accepted_at)
