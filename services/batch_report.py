"""What a mass sending says of itself: progress, failures and notices in words."""

from collections import Counter
from datetime import timedelta

from markupsafe import Markup

from odoo import fields
from odoo.tools import format_date

from ..tools.hours import to_wall
from . import asking
from .departures import Plan
from .draft_text import describe_chars
from .hours import get_company_zone
from .message_words import describe_source
from .operator_templates import Register
from .words import format_moment, notify, send_notice

# Without a limit of the account's own: what a busy server makes, about.
CALLS_PER_SECOND = 50
# States of messages by what a person wants to know, in the order of the progress bar.
GROUPS = {
    "delivered": ("delivered",),
    "sent": ("sent",),
    "unknown": ("unknown", "unconfirmed"),
    "failed": ("failed", "undelivered"),
    "canceled": ("canceled",),
    "sending": ("sending",),
    # rows of a sent batch that are not in the queue yet are drafts
    "waiting": ("draft", "scheduled", "outgoing"),
}
TROUBLE = (*GROUPS["failed"], *GROUPS["unknown"])
SHOWN_IDS = 10
# Colours of the tiles, by Odoo's palette: green, blue, yellow; orange for trouble.
COLORS = {"done": 10, "running": 4, "scheduled": 4, "paused": 3}
TROUBLE_COLOR = 2
# Departures over more hours than this are shown by day.
MANY_HOURS = 48


# --- a draft --------------------------------------------------------------------------


def describe(batch):
    """Return what the page of a draft or a sending says in words, by field."""
    sheet, samples = render_figures(batch)
    return {
        "departure": describe_departure(batch),
        "departures": render_departures(batch),
        "question": describe_question(batch),
        "sheet": sheet,
        "samples": samples,
        "failures": bool(batch.trouble_count) and describe_failures(batch),
        "complete_at": batch._is_sent() and asking.expect_complete(batch),
        "empty_name": _find_empty(batch),
        "translations_text": "\n".join(
            f"{code}: {text}" for code, text in (batch.translations or {}).items()
        ),
    }


def _find_empty(batch):
    """Return the value that is empty most often, while that is a question."""
    is_open = batch.empty_count and not batch.empty_policy
    empty = (batch.figures or {}).get("empty") if is_open else None
    return bool(empty) and max(empty, key=empty.get)


def find_departures(batch):
    """Return when the messages of a draft leave: hour (UTC) -> how many, by hour.

    Empty when they all leave at once. What is spread was found by the calculation; for
    the rest it is found anew, since the time may be chosen after that.
    """
    planned = (batch.figures or {}).get("departures")
    if not planned:
        return {}
    if batch._is_spread():
        to_datetime = fields.Datetime.to_datetime
        return {to_datetime(at): n for at, n in sorted(planned["hours"].items())}
    plan, hours = Plan(batch.sudo()), Counter()
    for zones, source, count in planned["zones"]:
        zones = tuple(zones)
        wanted = max(plan.want(zones, source), fields.Datetime.now())
        if found := plan.find(wanted, zones):
            hours[found[0].replace(minute=0, second=0, microsecond=0)] += count
    return dict(sorted(hours.items()))


def render_departures(batch):
    """Return the departures of a draft as HTML: a bar an hour, of many hours one a day;
    ``False`` when they all leave at once."""
    env, hours = batch.env, find_departures(batch)
    if not hours:
        return False
    zone = env.tz
    bars = Counter()
    by_day = len(hours) > MANY_HOURS
    for at, count in hours.items():
        local = to_wall(at, str(zone))
        bars[local.replace(hour=0) if by_day else local] += count
    sources = Counter()
    for _zones, source, count in batch.figures["departures"]["zones"]:
        sources[describe_source(env, source)] += count
    values = {
        "bars": [
            (_format_wall(env, at, by_day), count, 100 * count // max(bars.values()))
            for at, count in bars.items()
        ],
        "sources": sources.most_common(),
        "zone": zone,
    }
    return env["ir.qweb"]._render("sms_devino.batch_departures", values)


def _format_wall(env, wall, by_day):
    """Return a day, or a day and an hour, of the user's own time."""
    day = format_date(env, wall.date(), date_format="EE dd.MM")
    return day if by_day else f"{day} {wall:%H}:00"


def describe_departure(batch):
    """Say when the first and the last message will leave, about."""
    first, last = _find_departure(batch)
    if first == last:
        return first
    return batch.env._("first %(first)s, last about %(last)s", first=first, last=last)


def _find_departure(batch):
    """Return when the first and the last message will leave, about, as texts."""
    env, now = batch.env, fields.Datetime.now()
    if hours := find_departures(batch):
        start = max(now, batch.scheduled_at or now)
        first, last = min(hours), max(hours)
        if first <= start < first + timedelta(hours=1):
            # the figures are by the hour
            first = start
        # one hour is one moment, as far as the figures go
        moments = (first, last if len(hours) > 1 else first)
        return tuple(format_moment(env, max(at, now)) for at in moments)
    calls = (batch.figures or {}).get("calls", 0)
    rate = batch.account_id.requests_per_second or CALLS_PER_SECOND
    start = max(now, batch.scheduled_at or now)
    first = format_moment(env, start)
    last = format_moment(env, start + timedelta(seconds=calls / rate))
    return first, last


def render_figures(batch):
    """Return figures and sample texts of a draft as HTML, ``False`` for none."""
    env, figures = batch.env, batch.figures or {}
    messages = env["sms.devino.message"]
    samples = messages.search([("id", "in", figures.get("samples", []))], order="id")
    values = {
        "figures": figures,
        "chars": describe_chars(env, figures.get("chars", [])),
        "amount": batch.account_id._format_amount,
        "batch": batch,
        "reasons": dict(messages._fields["reason"]._description_selection(env)),
        "samples": samples,
        "unregistered": _describe_unregistered(batch),
    }
    render = env["ir.qweb"]._render
    return (
        bool(figures) and render("sms_devino.batch_sheet", values),
        bool(samples) and render("sms_devino.batch_samples", values),
    )


def _describe_unregistered(batch):
    """Return what differs from the templates registered at the operator.

    :return: ``None``, or dict of ``count``, ``pattern`` and the text of one message:
        ``head``, which is as registered, and ``rest``
    """
    count, first = (batch.figures or {}).get("unregistered") or (0, None)
    if not count:
        return None
    message = batch.env["sms.devino.message"].search([("id", "=", first)])
    account = batch.account_id.sudo()
    # the day by which the message was priced
    local = batch.with_context(tz=get_company_zone(account.company_id))
    day = fields.Date.context_today(local, message.scheduled_at or batch.scheduled_at)
    pattern, at = Register(account).find_nearest(
        message.body or "", message.sender_name, message.operator, day
    ) or ("", 0)
    text = message.body or ""
    return {
        "count": count,
        "pattern": pattern,
        "head": text[:at],
        "rest": text[at:],
    }


def describe_question(batch):
    """Return the last question before sending."""
    env = batch.env
    lines = [
        env._(
            "%(count)s messages are to be sent from %(sender)s.",
            count=batch.total,
            sender=batch.sender_id.name,
        ),
        env._("Departure: %s.", _describe_start(batch)),
        env._("Cost: %s.", batch.quote_cost),
    ]
    if batch.quote_after:
        lines.append(
            env._("After that your balance will be %s.", batch.quote_after),
        )
    if batch.mode == "test":
        lines.append(env._("Test mode: nothing leaves Odoo, nothing is paid."))
    else:
        lines.append(env._("Live: the messages reach people and are paid for."))
    if batch.needs_approval:
        lines.append(env._("A second person has to approve this mass sending."))
    else:
        lines.append(env._("Start sending the messages?"))
    return "\n".join(lines)


def _describe_start(batch):
    """Say when the messages leave: at once, or from when to about when."""
    if batch.scheduled_at or (batch.figures or {}).get("departures"):
        return describe_departure(batch)
    first, last = _find_departure(batch)
    if first == last:
        return batch.env._("at once")
    return batch.env._("at once, the last about %s", last)


def describe_price(batch):
    """Say what the provider has charged, and of how many messages it has not told."""
    env, waiting = batch.env, batch.sent_count
    if not batch._is_sent():
        return False
    if not batch.cost and (waiting or batch.state not in ("done", "canceled")):
        return env._("Price not known yet")
    cost = batch.account_id._format_amount(batch.cost)
    if not waiting:
        return cost
    return env._("%(cost)s; waiting for reports: %(count)s", cost=cost, count=waiting)


# --- a sending ------------------------------------------------------------------------


def measure_progress(batch):
    """Return how far a sending is, by field, with the colour of its tile."""
    left = batch.waiting_count + batch.sending_count
    percent = 100.0 / batch.total if batch._is_sent() and batch.total else 0.0
    trouble = batch.failed_count + batch.unknown_count
    is_bad = batch.state == "done" and trouble
    return {
        "progress": percent * (batch.total - left),
        "delivered_share": percent * batch.delivered_count,
        "trouble_count": trouble,
        "color": TROUBLE_COLOR if is_bad else COLORS.get(batch.state, 0),
    }


def get_group_labels(env):
    return {
        "delivered": env._("Delivered"),
        "sent": env._("Sent, no report yet"),
        "unknown": env._("Outcome not known"),
        "failed": env._("Failed or not delivered"),
        "canceled": env._("Canceled"),
        "sending": env._("Being handed over"),
        "waiting": env._("Waiting"),
    }


def describe_failures(batch):
    """Return what went wrong, in words, as HTML; empty when nothing did."""
    items = Markup().join(
        Markup("<li>%s: <b>%s</b></li>") % (text, count)
        for text, count in get_failures(batch)
    )
    return items and Markup("<ul class='mb-0'>%s</ul>") % items


def get_failures(batch):
    """Return what went wrong: pairs of text and count, the most frequent first."""
    messages = batch.env["sms.devino.message"]
    names = ["state", "reason", "operation_status", "message_status"]
    labels = {
        name: dict(messages._fields[name]._description_selection(batch.env))
        for name in names
    }
    domain = [("batch_id", "=", batch.id), ("state", "in", TROUBLE)]
    failures = {}
    for *key, count in messages._read_group(domain, names, ["__count"]):
        name, value = find_cause(*key)
        text = labels[name][value]
        failures[text] = failures.get(text, 0) + count
    return sorted(failures.items(), key=lambda pair: -pair[1])


def find_cause(state, reason, operation_status, message_status):
    """Return the field that says best why a message failed, and its value."""
    if state == "failed" and reason == "refused" and operation_status:
        return "operation_status", operation_status
    if state == "undelivered" and not reason and message_status:
        return "message_status", message_status
    return ("reason", reason) if reason else ("state", state)


# --- notices --------------------------------------------------------------------------


def notify_sent(batch):
    """Return the notice of *Send*, which then opens the sending."""
    if batch.state == "to_approve":
        text = batch.env._("A second person has to approve this mass sending.")
    elif batch.state == "scheduled":
        text = batch.env._("%s messages are scheduled.", batch.total)
    else:
        text = batch.env._("%s messages are on their way.", batch.total)
    following = batch.get_formview_action()
    return notify(batch.name, text, kind="success", following=following)


def tell_approved(batch):
    """Note in the batch what was approved."""
    batch.message_post(
        body=batch.env._(
            "%(count)s messages from %(sender)s were approved by %(author)s. Estimated "
            "cost: %(cost)s. Recipients left out: %(left_out)s.",
            count=batch.total,
            sender=batch.sender_id.name,
            author=(batch.approved_by_id or batch.sent_by_id).name,
            cost=batch.account_id._format_amount(batch.cost_estimated),
            left_out=batch.left_out_count,
        )
    )


def tell_handed_over(batch):
    """Say how many messages the provider took, with their ids."""
    env = batch.env
    text = env._(
        "The provider accepted %(accepted)s of %(total)s messages.",
        accepted=env["sms.devino.message"].search_count(
            [("batch_id", "=", batch.id), ("accepted_at", "!=", False)]
        ),
        total=batch.total,
    )
    parts = [Markup("<p>%s</p>") % text]
    if ids := _first_gateway_ids(batch):
        parts.append(Markup("<p>%s</p>") % env._("SMS ID: %(ids)s", ids=", ".join(ids)))
    _tell(batch, text, parts)


def tell_reported(batch):
    """Say how it went, once it is known of every message."""
    env = batch.env
    text = env._(
        "All reports are in: %(delivered)s of %(total)s messages were delivered.",
        delivered=batch.delivered_count,
        total=batch.total,
    )
    labels = get_group_labels(env)
    others = [
        f"{labels[group]}: {count}."
        for group in ("failed", "unknown", "canceled")
        if (count := batch[f"{group}_count"])
    ]
    price = env._("Price: %s.", batch.account_id._format_amount(batch.cost))
    text = " ".join([text, *others, price])
    _tell(batch, text, [Markup("<p>%s</p>") % text])


def _tell(batch, text, parts):
    """Post into the batch, with the failures, and notify the person who sent it."""
    failures = describe_failures(batch)
    if batch.mode == "test":
        note = batch.env._("Test mode: nothing was sent to anybody, nothing was paid.")
        parts = [Markup("<p><b>%s</b></p>") % note, *parts]
        text = f"{note} {text}"
    batch.message_post(body=Markup().join([*parts, failures]))
    send_notice(batch.sent_by_id, batch.name, text, is_good=not failures)


def _first_gateway_ids(batch):
    """Return the ids of the first segments, with dots when there are more."""
    segments = batch.env["sms.devino.segment"].search(
        [("message_id.batch_id", "=", batch.id)], order="id", limit=SHOWN_IDS + 1
    )
    ids = segments.mapped("gateway_id")
    return [*ids[:SHOWN_IDS], "…"] if len(ids) > SHOWN_IDS else ids


# --- its file -------------------------------------------------------------------------


def match_rows(batch, raws):
    """Return the id of the message of each row of a batch's file, None where none is.

    The rows of the file come last in a batch, in their order, but for the copies to
    control numbers, which no row of the file has. So both are compared from the end,
    and a row whose message was deleted gets none, not that of another number.

    :param list raws: the number of each row as written, None for one without a message
    """
    messages = batch.env["sms.devino.message"].search_fetch(
        [("batch_id", "=", batch.id)], ["number", "number_raw"], order="id desc"
    )
    texts, of_file = set(raws), []
    for one in messages:
        text = one.number_raw or one.number or ""
        if text in texts:
            of_file.append((one.id, text))
    rest = iter(of_file)
    messages.invalidate_recordset()
    found, (message_id, text) = [], next(rest, (None, None))
    for raw in reversed(raws):
        if raw is None or raw != text:
            found.append(None)
            continue
        found.append(message_id)
        message_id, text = next(rest, (None, None))
    return found[::-1]
