"""What is not known of the provider for sure, as switches."""

from dataclasses import dataclass, fields
from typing import Literal, get_args


@dataclass(frozen=True)
class Switches:
    """One field for each uncertain fact; the default is the likelier answer.

    :raise ValueError: a value that is not among the field's choices
    """

    #: HTTP status of a failed login: 401 documented, 403 expected by one official
    #: client's test of 2012.
    login_failure: Literal[401, 403] = 401
    #: An expired session: 401 / Code 4 documented and seen in several clients,
    #: 400 / Code 3 documented for a bad "or expired" one, seen in one client.
    expired_session: Literal["401/4", "400/3"] = "401/4"
    #: The same number twice in one call: ids for each of them, or once. Two official
    #: test programs send such a call; the answer is not on record.
    duplicates: Literal["each", "once"] = "each"
    #: Sms/SendByTimeZone with DestinationAddresses: the 1C module sends it; the
    #: documentation asks for DestinationAddress.
    time_zone_list: Literal["accept", "refuse"] = "accept"
    #: A SendDate in the past: not on record.
    past_send_date: Literal["send", "refuse"] = "send"
    #: Do the 120 minutes of a session count from its issue (the documentation's
    #: wording) or from its last use?
    session_life: Literal["absolute", "sliding"] = "absolute"
    #: Sms/State of an id nobody knows: State 255 (follows from its definition) or an
    #: error (400 / Code 2).
    unknown_message: Literal["255", "code"] = "255"
    #: More than 2999 numbers in one call: 400 / Code 2 is plausible, not on record.
    above_limit: Literal["refuse", "accept"] = "refuse"
    #: Looks of a message id: "579700854169272358" (since 2016), "WD5181DA1" (2013),
    #: "SAR-GW01+79160000000-5f3b1972-2-1" (total, index). All three seen.
    id_style: Literal["digits", "hex", "route"] = "digits"

    def __post_init__(self):
        for field in fields(self):
            if getattr(self, field.name) not in get_args(field.type):
                raise ValueError(f"{field.name} is one of {get_args(field.type)}")

    @classmethod
    def parse(cls, settings):
        """Switches from ``["login_failure=403", …]``.

        :param list[str] settings: name=value
        :raise ValueError: an unknown name or value
        """
        choices = {field.name: get_args(field.type) for field in fields(cls)}
        values = {}
        for setting in settings:
            name, _, text = setting.partition("=")
            known = {str(choice): choice for choice in choices.get(name, ())}
            if text not in known:
                raise ValueError(f"{setting}: no such switch or value")
            values[name] = known[text]
        return cls(**values)
