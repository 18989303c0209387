"""Why a spreadsheet cannot be read or written, in the user's language."""

from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..tools.sheet import SheetError

_lt = LazyTranslate(__name__)

# One for each code that tools/ raises or notes, with its parameters.
SENTENCES = {
    "empty": _lt("The file is empty."),
    "too_large": _lt(
        "The file is too large: %(size_mb)s MB, while at most %(limit_mb)s MB "
        "can be imported. Delete the columns and pictures that are not needed, "
        "or split it."
    ),
    "html": _lt(
        "The file is a web page that only has the name of a spreadsheet, as "
        "many programs export it. Open it in Excel, choose File > Save As > "
        "Excel Workbook (*.xlsx), and import the saved file."
    ),
    "spreadsheetml": _lt(
        "The file is an XML table (XML Spreadsheet 2003) that only has the name"
        " of an Excel workbook. Open it in Excel, choose File > Save As > Excel"
        " Workbook (*.xlsx), and import the saved file."
    ),
    "ods": _lt(
        "The file is an OpenDocument spreadsheet. Open it in its program, "
        "choose File > Save As > Excel 2007-365 (.xlsx), and import the saved "
        "file."
    ),
    "xlsb": _lt(
        "The file is a binary Excel workbook (.xlsb). Open it in Excel, choose "
        "File > Save As > Excel Workbook (*.xlsx), and import the saved file."
    ),
    "strict": _lt(
        "The workbook was saved as Strict Open XML. Open it in Excel, choose File > "
        "Save As > Excel Workbook (*.xlsx), and import the saved file."
    ),
    "old_excel": _lt(
        "The file was saved in the format of Excel 4 or older. Open it in "
        "Excel, choose File > Save As > Excel Workbook (*.xlsx), and import the"
        " saved file."
    ),
    "image": _lt(
        "The file is a picture, not a table. Choose an .xlsx, .xls or .csv file."
    ),
    "other_kind": _lt(
        "The file is %(kind)s, not a table. Choose an .xlsx, .xls or .csv file."
    ),
    "document": _lt(
        "The file is a text document or a presentation. Copy its table into a "
        "spreadsheet, save it as an .xlsx file, and import that file."
    ),
    "archive": _lt(
        "The file is an archive. Unpack it and choose the .xlsx, .xls or .csv "
        "file that is inside."
    ),
    "unknown": _lt("The file is not a table. Choose an .xlsx, .xls or .csv file."),
    "password": _lt(
        "The file is protected by a password. Open it in Excel, remove the "
        "password (File > Info > Protect Workbook), save it, and import it "
        "again."
    ),
    "corrupt": _lt(
        "The file is damaged or was not uploaded completely. Open it in Excel, "
        "save it anew, and import the saved file."
    ),
    "row": _lt(
        'Row %(row)s of the sheet "%(sheet)s" is damaged. Open the file in Excel, '
        "correct the row, save the file anew, and import it."
    ),
    "packed_too_much": _lt(
        "The file is packed more tightly than a spreadsheet program does it, so it is "
        "not read for safety. Open it in Excel, save it anew, and import the saved "
        "file."
    ),
    "too_many_cells": _lt(
        "The sheet has more than %(limit)s cells. Keep only the columns that are "
        "needed, or split the file."
    ),
    "forbidden_xml": _lt(
        "The file has declarations that no spreadsheet program writes, so it is"
        " not read for safety. Open it in Excel, save it anew, and import the "
        "saved file."
    ),
    "unpacks_too_large": _lt(
        "The file unpacks to more than %(limit_mb)s MB. Delete the sheets and "
        "columns that are not needed, or split it."
    ),
    "too_many_rows": _lt("The sheet has more than %(limit)s rows. Split the file."),
    "too_many_columns": _lt(
        "Row %(row)s has more than %(limit)s columns. Keep only the columns "
        "that are needed."
    ),
    "row_too_long": _lt(
        "Row %(row)s is longer than any table's row can be. Check the quotation"
        " marks and the line breaks of the file."
    ),
    "encoding": _lt("There is no encoding %(encoding)s. Choose another one."),
    "csv_quote": _lt(
        "A quotation mark is opened in row %(row)s and never closed. Correct "
        "the row, or save the table as an .xlsx file."
    ),
    "csv_lines": _lt(
        "Row %(row)s spans %(lines)s lines: it seems to begin with a quotation mark "
        "that is not meant as one. Correct the row, or save the table as an .xlsx file."
    ),
    "no_sheets": _lt("The workbook has no sheet with cells."),
    "sheet_missing": _lt('The workbook has no sheet "%(sheet)s".'),
    "cell_too_long": _lt(
        'The text in row %(row)s, column "%(column)s" is longer than the '
        "%(limit)s characters that a cell can hold."
    ),
    "xls_too_many_rows": _lt(
        "An .xls file holds at most %(limit)s rows. Save as .xlsx, or choose fewer."
    ),
    "xlsx_too_many_rows": _lt(
        "An .xlsx file holds at most %(limit)s rows. Choose fewer rows."
    ),
    "paste_too_long": _lt(
        "At most %(limit)s numbers can be pasted at once. Save them as a file and "
        "import it, or paste them in parts."
    ),
    # -- notes
    "bad_characters": _lt(
        "Characters that could not be read are shown as �: %(count)s, in the lines "
        "%(lines)s. If there are many, choose another encoding."
    ),
}


def describe(env, told: SheetError) -> str:
    """Return the sentence for an error or a note."""
    sentence = SENTENCES[told.code]._translate(env.lang or "en_US")
    return sentence % told.params


def as_user_error(env, error: SheetError) -> UserError:
    """Return the error that Odoo shows for a :class:`SheetError`, to be raised."""
    return UserError(describe(env, error))
