"""What the drill makes the provider do: every fault that the emulator knows."""

FAULTS = (
    {"kind": "latency", "seconds": 2.0},
    {"kind": "hold", "seconds": 2.0},
    {"kind": "refuse"},
    {"kind": "connect_timeout"},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "half_json"},
    {"kind": "half_json", "declared": "full"},
    {"kind": "slow_body", "seconds": 2.0},
    {"kind": "status500"},
    {"kind": "status500", "handled": True},
    {"kind": "status500_empty"},
    {"kind": "status500_empty", "handled": True},
    {"kind": "html502"},
    {"kind": "html502", "handled": True},
    {"kind": "html"},
    {"kind": "html", "handled": True},
    {"kind": "code5"},
    {"kind": "code7"},
    {"kind": "code8"},
    # code 8 counts as "surely not sent" and is sent again: a provider that says so and
    # accepts all the same gets the message twice
    {"kind": "code8", "handled": True},
    {"kind": "code9"},
    {"kind": "code9", "handled": True},
    {"kind": "session_expired"},
    {"kind": "session_invalid"},
    {"kind": "rate_limit", "retry_after": 1},
    {"kind": "unavailable"},
    {"kind": "more_ids"},
    {"kind": "fewer_ids"},
    {"kind": "no_ids"},
    {"kind": "ids_as_numbers"},
)
# most of them where it hurts
PATHS = (
    *("Sms/Send", "Sms/SendBulk") * 3,
    "Sms/State",
    "User/SessionId",
    "User/Balance",
    None,
)
