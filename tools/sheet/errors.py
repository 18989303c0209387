"""Why a spreadsheet cannot be read or written: a code and parameters, no words.

The sentences are ``services/sheet_words.py``, where they can be translated.
"""


class SheetError(Exception):
    """A spreadsheet cannot be read or written, and the user can be told why.

    Not raised, it is a note on something that was read despite a fault.

    :ivar str code: a key of ``SENTENCES``
    :ivar dict params: what its sentence names: numbers, a row's number, a title
    """

    def __init__(self, code, **params):
        super().__init__(code, params)
        self.code = code
        self.params = params
