"""What the drill makes the provider do: every fault that the emulator knows.

Left out is what no client could survive: an answer that says beyond doubt "not
accepted" (too little credit, a refusal, a session that has ended, too many requests)
to a request that was carried out all the same.
"""

FAULTS = (
    {"kind": "latency", "seconds": 0.7},
    {"kind": "hold", "seconds": 0.7},
    {"kind": "refuse"},
    {"kind": "connect_timeout"},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "half_json"},
    {"kind": "half_json", "declared": "full"},
    {"kind": "slow_body", "seconds": 0.7},
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
# of a provider on the internet: without it hardly a call is under way when a kill comes
LATENCY = {"kind": "latency", "seconds": 0.3, "times": None}
# most of them where it hurts
PATHS = (
    *("Sms/Send", "Sms/SendBulk") * 3,
    "Sms/State",
    "User/SessionId",
    "User/Balance",
    None,
)
