{
    "name": "SMS through Devino Telecom: somebody else's module (tests)",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tests",
    "summary": "Adds to the journal what other modules may add",
    "author": "sms_devino maintainers",
    "license": "LGPL-3",
    "depends": ["sms_devino"],
}
