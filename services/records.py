"""Records that came from input."""


def read_input(env, model, ids):
    """Return the records of a request: those that exist and that the user may read.

    Read nothing of such records by sudo: the cache is shared, and the user's own
    environment would then read it without a check of rights.

    :param str model: a model's name as it was given, maybe wrong
    :param list ids: ids as they were given
    :return: a recordset, maybe empty; ``None`` when there is no such stored model
    """
    if model not in env or env[model]._abstract or env[model]._transient:
        return None
    return env[model].browse(ids).exists()._filtered_access("read")
