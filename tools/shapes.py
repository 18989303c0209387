"""The shapes of Json fields: a request may write anything into such a field."""

# A key that matches any text.
ANY = "*"
ROLES = ("phone", "phone_2", "name", "extra", "skip")
ROLES += ("consent_date", "consent_source")
EMPTY = type(None)

TITLES = [str]
DATA = {ANY: (str, int, float, bool, EMPTY)}
TITLE_ROLES = {ANY: ("phone", "name")}
TRANSLATIONS = {ANY: (str,)}
MAPPING = [{"role": ROLES, "name": (str, EMPTY)}]
SOURCE_COLUMNS = {
    "sheet": (str, bool, EMPTY),
    "header_row": (int,),
    "with_hidden": (bool,),
    "encoding": (str, EMPTY),
    "pasted": (bool,),
    "rows": (int,),
    "columns": [
        {
            "index": (int,),
            "role": ROLES,
            "title": (str, bool, EMPTY),
            "name": (str, bool, EMPTY),
        }
    ],
}
_LINE = dict.fromkeys(
    ("row", "raw", "number", "name", "data", "kind", "reason"),
    (str, int, bool, EMPTY),
)
PREVIEW = {
    "counts": {ANY: (int,)},
    "total": (int,),
    "notes": (int,),
    "consents": (int,),
    "hidden": (int,),
    "first": [_LINE],
    "problems": [_LINE],
}


def fits(value, shape, needed=()) -> bool:
    """Tell whether decoded Json has a shape.

    :param shape: a tuple of types or of texts to choose from; a list of the one shape
        that all items have; or a dict of key -> shape, which allows no other key
    :param needed: keys that a dict must have
    """
    if isinstance(shape, list):
        inner = shape[0]
        keys = inner if isinstance(inner, dict) and ANY not in inner else ()
        return isinstance(value, list) and all(fits(one, inner, keys) for one in value)
    if isinstance(shape, dict):
        return (
            isinstance(value, dict)
            and set(needed) <= value.keys()
            and all(
                (key in shape or ANY in shape)
                and fits(one, shape.get(key, shape.get(ANY)))
                for key, one in value.items()
            )
        )
    if isinstance(shape, type):
        shape = (shape,)
    # a bool is an int for Python
    return type(value) in shape or (isinstance(value, str) and value in shape)
