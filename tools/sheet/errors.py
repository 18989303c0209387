"""Why a spreadsheet could not be read or written: one coded error."""

# One English sentence per code.  The caller translates the template and fills it
# with the error's params, so every template uses %(name)s placeholders only.
MESSAGES = {
    # -- the file is not one that can be imported
    "empty": "The file is empty.",
    "too_large": (
        "The file is too large: %(size_mb)s MB, while at most %(limit_mb)s MB can be "
        "imported. Delete the columns and pictures that are not needed, or split it."
    ),
    "html": (
        "The file is a web page that only has the name of a spreadsheet, as many "
        "programs export it. Open it in Excel, choose File > Save As > Excel "
        "Workbook (*.xlsx), and import the saved file."
    ),
    "spreadsheetml": (
        "The file is an XML table (XML Spreadsheet 2003) that only has the name of "
        "an Excel workbook. Open it in Excel, choose File > Save As > Excel Workbook "
        "(*.xlsx), and import the saved file."
    ),
    "ods": (
        "The file is an OpenDocument spreadsheet. Open it in its program, choose "
        "File > Save As > Excel 2007-365 (.xlsx), and import the saved file."
    ),
    "xlsb": (
        "The file is a binary Excel workbook (.xlsb). Open it in Excel, choose File > "
        "Save As > Excel Workbook (*.xlsx), and import the saved file."
    ),
    "old_excel": (
        "The file was saved in the format of Excel 95 or older. Open it in Excel, "
        "choose File > Save As > Excel Workbook (*.xlsx), and import the saved file."
    ),
    "image": "The file is a picture, not a table. Choose an .xlsx, .xls or .csv file.",
    "pdf": (
        "The file is a PDF document, not a table. Choose an .xlsx, .xls or .csv file."
    ),
    "document": (
        "The file is a text document or a presentation. Copy its table into a "
        "spreadsheet, save it as an .xlsx file, and import that file."
    ),
    "archive": (
        "The file is an archive. Unpack it and choose the .xlsx, .xls or .csv file "
        "that is inside."
    ),
    "unknown": "The file is not a table. Choose an .xlsx, .xls or .csv file.",
    "password": (
        "The file is protected by a password. Open it in Excel, remove the password "
        "(File > Info > Protect Workbook), save it, and import it again."
    ),
    # -- it is one, but it is damaged or made to do harm
    "corrupt": (
        "The file is damaged or was not uploaded completely. Open it in Excel, save "
        "it anew, and import the saved file."
    ),
    "forbidden_xml": (
        "The file has declarations that no spreadsheet program writes, so it is not "
        "read for safety. Open it in Excel, save it anew, and import the saved file."
    ),
    "unpacks_too_large": (
        "The file unpacks to more than %(limit_mb)s MB. Delete the sheets and columns "
        "that are not needed, or split it."
    ),
    "too_many_rows": "The sheet has more than %(limit)s rows. Split the file.",
    "too_many_columns": (
        "Row %(row)s has more than %(limit)s columns. Keep only the columns that are "
        "needed."
    ),
    "row_too_long": (
        "Row %(row)s is longer than any table's row can be. Check the quotation marks "
        "and the line breaks of the file."
    ),
    "encoding": (
        "The text of the file cannot be read: its encoding is not known. Save the "
        "table as an .xlsx file and import that file."
    ),
    "csv_quote": (
        "A quotation mark is opened in row %(row)s and never closed. Correct the "
        "row, or save the table as an .xlsx file."
    ),
    "no_sheets": "The workbook has no sheet with cells.",
    "sheet_missing": 'The workbook has no sheet "%(sheet)s".',
    # -- writing
    "cell_too_long": (
        'The text in row %(row)s, column "%(column)s" is longer than the %(limit)s '
        "characters that a cell can hold."
    ),
    "xls_too_many_rows": (
        "An .xls file holds at most %(limit)s rows. Save as .xlsx, or choose fewer."
    ),
    "xlsx_too_many_rows": (
        "An .xlsx file holds at most %(limit)s rows. Choose fewer rows."
    ),
}


class SheetError(Exception):
    """A spreadsheet cannot be read or written, and the user can be told why.

    :param str code: a key of ``MESSAGES``
    :param params: what the sentence names: numbers, a row's number, a title

    ``message`` is the English template, ``params`` the dict that fills it;
    ``str(error)`` is the filled sentence.
    """

    def __init__(self, code, **params):
        self.code = code
        self.params = params
        self.message = MESSAGES[code]
        super().__init__(self.message % params)
