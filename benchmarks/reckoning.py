"""The provider's ledger against the journal, at the end of a drill."""

from collections import Counter
from dataclasses import dataclass, field

# What the journal may say in the end of a message that the provider accepted, or not.
ACCEPTED = {"sent", "delivered", "undelivered", "unconfirmed", "unknown"}
NOT_ACCEPTED = {"failed", "canceled", "unknown"}
# These are on their way: at the end of a drill nothing may be.
UNDER_WAY = {"draft", "scheduled", "outgoing", "sending"}
# So many of the others that are wrong are printed with their calls.
EXAMPLES = 5
# What the emulator makes of a number, by its last two digits.
REJECTED, REFUSED = ("91", "92"), ("99",)
# A kill may leave in doubt what was on the wire, and so much of the rest.
MAX_NEVER_HANDED_OVER = 0.01
MUST_BE_NONE = ("twice", "lost", "disagree", "under way")
# A run with less of it proves nothing: messages, of those asked for; a minute, faults
# and sendings that a fault of the provider befell.
LEAST_SHARE, LEAST_FAULTS, LEAST_SPOILED = 0.9, 70, 15
# Messages of unknown outcome: all; accepted; left, and the connection reset before the
# provider read them; never handed over.
DOUBTS = ("unknown", "of them accepted", "unread", "never handed over")


@dataclass(frozen=True)
class Row:
    """A message of the journal. ``login``: of its account. ``reason``: why.
    ``claimed_at``: the same for the messages of one call."""

    number: str
    state: str
    reason: str
    login: str
    cost: float = 0.0
    segments: int = 1
    claimed_at: object = None


@dataclass
class Reckoning:
    """What was found.

    :param list rows: what the journal has of everything that was submitted
    :param list ledger: dicts of ``number``, ``login`` and ``cost``, one for each
        acceptance
    :param set promised: numbers of messages of which Odoo told a person that they are
        on their way
    :param list calls: see :meth:`~stage.Provider.calls`
    """

    rows: list
    ledger: list
    promised: set
    calls: list
    twice: set = field(init=False)
    lost: dict = field(init=False)
    disagree: dict = field(init=False)
    under_way: dict = field(init=False, default_factory=dict)

    def __post_init__(self):
        self._entries = {f"+{entry['number']}": entry for entry in self.ledger}
        counts = Counter(f"+{entry['number']}" for entry in self.ledger)
        self.once = sum(count == 1 for count in counts.values())
        self.twice = {number for number, count in counts.items() if count > 1}
        self._arrived = {number for call in self.calls for number in call["numbers"]}
        known = {row.number for row in self.rows}
        self.submitted = len(known | self.promised)
        self.lost = dict.fromkeys(self.promised - known, "not in the journal")
        self.disagree = dict.fromkeys(counts.keys() - known, "not in the journal")
        for row in self.rows:
            self._rate(row)

    def _rate(self, row):
        entry = self._entries.get(row.number)
        if row.state in UNDER_WAY:
            self.under_way[row.number] = row.state
        elif entry is None:
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

    def figures(self):
        """Return the row of the table."""
        return {
            "calls": len(self.calls),
            "spoiled": count_spoiled(self.calls),
            "submitted": self.submitted,
            "accepted once": self.once,
            "twice": len(self.twice),
            "lost": len(self.lost),
            "disagree": len(self.disagree),
            "under way": len(self.under_way),
            **{name: self.count(name) for name in DOUBTS},
        }

    def count(self, name):
        """Sum up a figure of :meth:`unknown`."""
        return sum(figures[name] for figures in self.unknown().values())

    def unknown(self):
        """Return reason -> the figures of :data:`DOUBTS`."""
        found = {}
        for row in self.rows:
            if row.state == "unknown":
                found.setdefault(row.reason, []).append(row)
        return {reason: self._split(reason, rows) for reason, rows in found.items()}

    def _split(self, reason, rows):
        absent = [row for row in rows if row.number not in self._arrived]
        calls = {(row.login, row.claimed_at) for row in absent}
        resets = sum(call["answer"] == "reset" for call in self.calls)
        # The request left, and the provider broke the connection without reading it:
        # nobody but the provider can know the numbers.
        is_unread = reason == "no_answer" and len(calls) <= resets
        return {
            "unknown": len(rows),
            "of them accepted": sum(row.number in self._entries for row in rows),
            "unread": len(absent) if is_unread else 0,
            "never handed over": 0 if is_unread else len(absent),
        }

    def report(self):
        """Print it."""
        print(f"submitted {self.submitted}, accepted once {self.once}")
        print("states:", dict(Counter(row.state for row in self.rows)))
        print(f"accepted twice: {len(self.twice)}")
        for number in sorted(self.twice):
            self._report_calls(number)
        for name in ("lost", "disagree", "under_way"):
            found = getattr(self, name)
            print(f"{name}: {len(found)}", dict(Counter(found.values())) or "")
            for number in sorted(found)[:EXAMPLES]:
                self._report_calls(number)
        for reason, figures in sorted(self.unknown().items()):
            print(f"{reason}:", ", ".join(f"{k} {v}" for k, v in figures.items()))

    def _report_calls(self, number):
        """Print the calls that one message went with."""
        states = [row.state for row in self.rows if row.number == number]
        print(f"  {number} {states}")
        for call in self.calls:
            if number in call["numbers"]:
                at, size = call["at"], len(call["numbers"])
                print(f"    {at:.3f} {size} numbers: {call['answer']} {call['reason']}")


def count_spoiled(calls):
    """Count the sendings that a fault of the provider befell, other than slowness."""
    return sum("fault" in call["reason"] for call in calls)


# --- many runs ------------------------------------------------------------------------


def print_table(rows):
    """Print figures as a table of Markdown, with their sums.

    :param list rows: dicts with ``seed``, and the same further keys
    """
    names = list(rows[0])
    sums = [sum(row[name] for row in rows) for name in names[1:]]
    lines = [names, ["---"] * len(names), *(row.values() for row in rows)]
    for line in [*lines, ["sum", *sums]]:
        print("|", " | ".join(map(str, line)), "|", flush=True)


def complain(row, messages, minutes):
    """Return what one run fails for, as a list of words.

    :param dict row: of the table
    :param int messages: how many there should have been
    """
    words = [f"{name} {row[name]}" for name in MUST_BE_NONE if row[name]]
    if row["submitted"] < LEAST_SHARE * messages:
        words.append(f"only {row['submitted']} messages of {messages}")
    if row["faults"] < LEAST_FAULTS * minutes:
        words.append(f"only {row['faults']} faults")
    if row["spoiled"] < LEAST_SPOILED * minutes:
        words.append(f"only {row['spoiled']} calls met a fault of the provider")
    return [f"seed {row['seed']}: {one}" for one in words]


def complain_of_doubt(rows):
    """Return a complaint if too many messages were in doubt that nobody had sent."""
    never = sum(row["never handed over"] for row in rows)
    share = never / max(sum(row["unknown"] for row in rows), 1)
    if share <= MAX_NEVER_HANDED_OVER:
        return []
    return [f"never handed over: {share:.1%} of unknown"]
