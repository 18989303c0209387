"""The provider's ledger against the journal, at the end of a drill."""

from collections import Counter
from dataclasses import dataclass, field

# What the journal may say in the end of a message that the provider accepted, or not.
ACCEPTED = {"sent", "delivered", "undelivered", "unconfirmed", "unknown"}
NOT_ACCEPTED = {"failed", "canceled", "unknown"}
# These are on their way: at the end of a drill nothing may be.
UNDER_WAY = {"draft", "scheduled", "outgoing", "sending"}
# What the emulator makes of a number, by its last two digits.
REJECTED, REFUSED = ("91", "92"), ("99",)
# A kill may leave in doubt what was on the wire, and so much of the rest.
MAX_NEVER_HANDED_OVER = 0.01


@dataclass(frozen=True)
class Row:
    """A message of the journal. ``login``: of its account. ``reason``: why."""

    number: str
    state: str
    reason: str
    login: str
    cost: float = 0.0
    segments: int = 1


@dataclass
class Reckoning:
    """What was found.

    :param list rows: what the journal has of everything that was submitted
    :param list ledger: dicts of ``number``, ``login`` and ``cost``, one for each
        acceptance
    :param set promised: numbers of messages of which Odoo told a person that they are
        on their way
    :param set handed_over: numbers that ever reached the provider
    """

    rows: list
    ledger: list
    promised: set
    handed_over: set
    twice: set = field(init=False)
    lost: dict = field(init=False)
    disagree: dict = field(init=False)

    def __post_init__(self):
        self._entries = {f"+{entry['number']}": entry for entry in self.ledger}
        counts = Counter(f"+{entry['number']}" for entry in self.ledger)
        self.once = sum(count == 1 for count in counts.values())
        self.twice = {number for number, count in counts.items() if count > 1}
        known = {row.number for row in self.rows}
        self.submitted = len(known | self.promised)
        self.lost = dict.fromkeys(self.promised - known, "not in the journal")
        self.disagree = dict.fromkeys(counts.keys() - known, "not in the journal")
        for row in self.rows:
            self._judge(row)

    def _judge(self, row):
        entry = self._entries.get(row.number)
        if entry is None:
            if row.state not in NOT_ACCEPTED:
                self.lost[row.number] = row.state
        elif row.state not in ACCEPTED:
            self.disagree[row.number] = f"accepted, and {row.state}"
        elif entry["login"] != row.login:
            self.disagree[row.number] = "accepted from another account"
        elif row.state in ("delivered", "undelivered"):
            self._judge_end(row, entry)

    def _judge_end(self, row, entry):
        rejected = row.number.endswith(REJECTED)
        if row.state != ("undelivered" if rejected else "delivered"):
            self.disagree[row.number] = f"another end than {row.state}"
        elif row.segments == 1 and abs(row.cost - float(entry["cost"])) > 0.001:
            self.disagree[row.number] = f"costs {entry['cost']}, not {row.cost}"

    @property
    def is_good(self):
        return not self.twice and not self.lost and not self.disagree

    def unknown(self):
        """Return reason -> (how many, how many of them were accepted, how many were
        never handed over)."""
        found = {}
        for row in self.rows:
            if row.state == "unknown":
                found.setdefault(row.reason, []).append(row.number)
        return {
            reason: (
                len(numbers),
                sum(number in self._entries for number in numbers),
                sum(number not in self.handed_over for number in numbers),
            )
            for reason, numbers in found.items()
        }

    def report(self):
        """Print it."""
        print(f"submitted {self.submitted}, accepted once {self.once}")
        print("states:", dict(Counter(row.state for row in self.rows)))
        print(f"accepted twice: {len(self.twice)}", sorted(self.twice) or "")
        for name, found in (("lost", self.lost), ("disagree", self.disagree)):
            print(f"{name}: {len(found)}", dict(Counter(found.values())) or "")
        unknown = self.unknown()
        total = sum(count for count, _accepted, _never in unknown.values())
        never = sum(never for _count, _accepted, never in unknown.values())
        print(f"unknown: {total}, never handed over {never}")
        for reason, (count, accepted, never_of) in sorted(unknown.items()):
            print(f"  {reason}: {count}, accepted {accepted}, never {never_of}")
