"""Records that came from input."""


def read_input(env, model, ids):
    """Return the records of a request: those that exist and that the user may read.

    Nothing of such a record may be read by sudo. What sudo fetches stands in the cache
    that the user's own environment reads without asking for rights again.

    :param str model: a model's name as it was given, maybe wrong
    :param list ids: ids as they were given
    :return: a recordset, maybe empty; ``None`` when there is no such stored model
    """
    if model not in env or env[model]._abstract or env[model]._transient:
        return None
    return env[model].browse(ids).exists()._filtered_access("read")
