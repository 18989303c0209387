"""Which row has the titles, and which column has the telephone numbers.

Titles are known by their words, Russian and English; where there are none, or where
they mislead, the cells decide.
"""

import hashlib
import re
from collections.abc import Sequence

# How many rows at the top are looked at for the titles.
HEAD_ROWS = 30
# Below this share of certainty a column is not proposed.
_CERTAIN = 0.3
_SURE = 0.6
_SAMPLE = 200

# Words of a title, as patterns of whole words, and how surely they tell the column.
_PHONE = (
    (r"моб|мобильн\w*|сотов\w*|mobile\w*|cell|cellphone|gsm|msisdn", 1.0),
    (r"sms|смс|whatsapp|viber", 0.95),
    (r"телефон\w*|тел|phones?|telephone|tel|домашний|рабочий", 0.9),
    (r"номера?|number|numbers|контакт\w*", 0.5),
)
# With these a telephone is rather not one for messages.
_OTHER_PHONE = r"дом|домашн\w*|раб|рабоч\w*|город\w*|служебн\w*|доп|дополнит\w*|office"
_OTHER_PHONE += r"|home|work|business|other|factory|второй|2|факс\w*|fax"
_NOBODY = r"экстренн\w*|emergency"
_NOT_PHONE = (
    r"договор\w*|заказ\w*|сч[её]т\w*|паспорт\w*|карт\w*|п п|инн|кпп|огрн\w*|снилс"
    r"|бик|окпо|документ\w*|лицев\w*|order|invoice|contract|card|passport|id|код|code"
    r"|факс\w*|fax|дата|date|квартир\w*|дом|серия|стать\w*|артикул|полис\w*|vin"
    r"|заявк\w*|комментари\w*|примечани\w*|comments?|notes?|штрих\w*|iban|bic|tax"
    r"|снт|участка|account|policy|sku|индекс|zip|postal|накладн\w*|трек\w*|track\w*"
)
_NAME = (
    (r"фио|ф и о|full name|fullname|имя|name|display name", 1.0),
    (
        r"клиент\w*|контрагент\w*|получател\w*|адресат\w*|абонент\w*|покупател\w*"
        r"|пациент\w*"
        r"|владел\w*|собственник\w*|участник\w*|ученик\w*|учащ\w*|студент\w*"
        r"|заемщик\w*|плательщик\w*|заявител\w*|держател\w*|гость|подписчик\w*"
        r"|жилец|жильц\w*|сотрудник\w*|работник\w*|заказчик\w*|customer\w*|client\w*"
        r"|recipient|contact|partner|партнер|owner|participant|member|student|guest"
        r"|patient|employee|subscriber|guardian|buyer",
        0.9,
    ),
    (r"контактн\w* лиц\w*", 0.95),
    (r"наименование|обращение|first name", 0.8),
    (r"родител\w*|законн\w* представител\w*|parent|firstname|представител\w*", 0.75),
    (r"фамилия|surname|last name|lastname|контакт\w*|название|title", 0.6),
    (r"компания|организация|фирма|company|organi[sz]ation|юр лицо", 0.4),
)
_NOT_NAME = (
    r"id|код|code|e mail|email|почта|адрес(?!ат)\w*|address|файла?|file|дата|date"
    r"|user name|username|login|логин|тип|type|группа|group|статус|status"
    r"|номера?|number"
    r"|менеджер\w*|manager|ответственн\w*|сделк\w*|товара?|услуг\w*|product|middle name"
    r"|инн|тариф\w*|источник\w*|source|класс\w*|курса?|тренер\w*|врач\w*|банка?|рейс\w*"
    r"|менеджера|created|lead|лида|отправител\w*|sender|валют\w*|категори\w*|филиал\w*"
)
_OTHER = (
    r"e mail|email|почта|адрес\w*|address|город|city|регион|дата\w*|date|сумма|amount"
    r"|долг|баланс|цена|price|код|code|id|инн|кпп|п п|no|комментари\w*|comment"
    r"|примечани\w*|текст|text|сообщение|message|статус|status|группа|group|возраст"
    r"|отчество|пол|др|менеджер|договор\w*|заказ\w*|order|должность|скидка|бонус\w*"
)

_SPACE = re.compile(r"[\W_]+")
_CASES = re.compile(r"(?<=[a-zа-я])(?=[A-ZА-Я])")
# A number to send to, anywhere in a cell.
_MOBILE = re.compile(
    r"(?<![\d+])(?:\+?7|8|)[-( \u00a0]*9\d{2}(?:[-) \u00a0.]*\d){7}(?!\d)"
    r"|(?<!\d)(?:\+|00|810)[-( \u00a0]*\d(?:[-() \u00a0.]*\d){9,14}(?!\d)"
)
_PHONE_CELL = re.compile(r"[+(]?\d[\d\s().\-\u2010-\u2015\u2212\u00a0]{9,23}")
_NUMBER = re.compile(r"[-+]?[\d\s.,:%/\u00a0-]+")
_LETTERS = re.compile(r"[^\W\d_][^\d@]*")


def normalise(title: str) -> str:
    """Return a title in small letters, its words parted by single spaces."""
    return _SPACE.sub(" ", title.casefold().replace("ё", "е")).strip()


def _words(title: str) -> str:
    """Return a title's words, those of "PhoneNumber" too."""
    return normalise(_CASES.sub(" ", title))


def signature(header: Sequence[str]) -> str:
    """Return a hash that equal headers share, to find a saved mapping by.

    Case, punctuation and empty cells at the end make no difference; the order does,
    since a mapping names columns by their place.

    :return: 32 hexadecimal digits
    """
    titles = [normalise(title) for title in header]
    while titles and not titles[-1]:
        titles.pop()
    return hashlib.sha256("\x1f".join(titles).encode()).hexdigest()[:32]


def find_header(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the index of the row with the titles, None when there seems to be none.

    :param rows: the values of the first rows of a sheet
    """
    rows = [list(row) for row in rows[:HEAD_ROWS]]
    first = next((i for i, row in enumerate(rows) if _phone_column(row) >= 0), None)
    candidates = rows if first is None else rows[:first]
    scores = [_header_score(row) for row in candidates]
    best = max(scores, default=0.0)
    if best > 0:
        return max(index for index, score in enumerate(scores) if score == best)
    if first is None:
        return None
    return _row_above(rows, first)


def guess_columns(header: Sequence[str], sample: Sequence[Sequence[str]]) -> dict:
    """Propose which column is which.

    :param header: the titles, empty when the sheet has none
    :param sample: the values of some rows below
    :return: ``{"phone": index or None, "phone2": index or None (to be taken where the
        first is empty), "name": index or None, "extra": [indexes of the other columns
        that have a title or a value]}``
    """
    sample = [row for row in sample[:_SAMPLE] if any(row)]
    width = max([len(header), *map(len, sample)], default=0)
    titles = [*map(_words, header), *[""] * (width - len(header))]
    cells = [
        [row[index] for row in sample if index < len(row) and row[index].strip()]
        for index in range(width)
    ]
    rows = len(sample)
    phones = [_phone_score(*pair, rows) for pair in zip(titles, cells, strict=True)]
    names = [_name_score(*pair, rows) for pair in zip(titles, cells, strict=True)]
    phone = _best(phones, set())
    # A second one is taken by its title alone: numbers of orders look like numbers.
    unsure = {index for index, title in enumerate(titles) if _phone_word(title) < _SURE}
    phone2 = None if phone is None else _best(phones, {phone, *unsure})
    name = _best(names, {phone, phone2})
    used = [index for index in range(width) if titles[index] or cells[index]]
    return {
        "phone": phone,
        "phone2": phone2,
        "name": name,
        "extra": [index for index in used if index not in (phone, phone2, name)],
    }


def _best(scores: list[float], taken: set) -> int | None:
    rest = [(score, -i) for i, score in enumerate(scores) if i not in taken]
    score, index = max(rest, default=(0.0, 0))
    return -index if score >= _CERTAIN else None


def _phone_score(title: str, cells: list[str], rows: int) -> float:
    word = _phone_word(title)
    if not word and (_has(_NOT_PHONE, title) or _has(_NOBODY, title)):
        return 0.0
    if not rows:
        return word * 0.9
    share = sum(map(_phone_likeness, cells)) / max(len(cells), 1)
    # A title without a single number below it means something else; only the surest
    # titles still count, so that a person at least sees a column of spoilt numbers.
    score = 0.5 * word + 0.5 * share if share else 0.4 * word
    return score * _filled(cells, rows)


def _phone_word(title: str) -> float:
    """Tell how surely a title is that of a telephone."""
    word = _weight(_PHONE, title)
    if _has(_NOBODY, title) or (_has(_NOT_PHONE, title) and word < 0.9):
        return 0.0
    return word * 0.7 if _has(_OTHER_PHONE, title) and word < 1 else word


def _name_score(title: str, cells: list[str], rows: int) -> float:
    word = 0.0 if _has(_NOT_NAME, title) else _weight(_NAME, title)
    if word and _weight(_PHONE, title) > 0.5:
        word = 0.0  # "client's telephone"
    if not rows:
        return word * 0.9
    share = sum(map(_name_likeness, cells)) / max(len(cells), 1)
    if title and not word:
        return 0.0
    return (0.6 * word + 0.4 * share if word else 0.6 * share) * _filled(cells, rows)


def _filled(cells: list[str], rows: int) -> float:
    """Return how much a column counts by how much of it is filled: 0 for nothing."""
    return 0.5 + 0.5 * len(cells) / rows if cells else 0.0


def _phone_likeness(cell: str) -> float:
    """Tell how much a cell looks like one with a number to send to: 0 to 1."""
    text = cell.strip().lstrip("'")
    found = _MOBILE.search(text)
    if found:
        return 1.0 if len(found[0]) * 2 > len(text) else 0.8
    digits = sum(map(str.isdigit, text))
    return 0.5 if _PHONE_CELL.fullmatch(text) and 10 <= digits <= 13 else 0.0


def _name_likeness(cell: str) -> float:
    """Tell how much a cell looks like a person: a few words with capitals."""
    words = cell.split()
    if not words or len(words) > 4 or not _LETTERS.fullmatch(cell.strip()):
        return 0.0
    return sum(word[0].isupper() for word in words) / len(words)


def _phone_column(row: Sequence[str]) -> int:
    for index, cell in enumerate(row):
        if _phone_likeness(cell) == 1:
            return index
    return -1


def _header_score(row: Sequence[str]) -> float:
    """Tell how much a row looks like titles; 0 when it does not at all."""
    titles = [_words(cell) for cell in row if cell.strip()]
    if not titles or any(_NUMBER.fullmatch(cell.strip()) for cell in row if cell):
        return 0.0
    if len(titles) > 1 and len(set(titles)) == 1:
        return 0.0  # one title over the whole table
    score = 0.0
    for title in set(titles):
        if len(title) > 60:
            continue
        if not _has(_NOT_PHONE, title) and _weight(_PHONE, title):
            score += 2
        elif _weight(_NAME, title) or _has(_OTHER, title):
            score += 1
    return score


def _row_above(rows: list, first: int) -> int | None:
    """Return the last row before the first number, if it is words over that number."""
    above = [index for index in range(first) if any(rows[index])]
    if not above:
        return None
    row, column = rows[above[-1]], _phone_column(rows[first])
    title = row[column] if column < len(row) else ""
    filled = sum(1 for cell in row if cell.strip())
    wide = sum(1 for cell in rows[first] if cell.strip())
    words = bool(_LETTERS.match(title.strip())) and "\n" not in title
    return above[-1] if words and filled >= wide else None


def _weight(table: tuple, title: str) -> float:
    return max((weight for words, weight in table if _has(words, title)), default=0.0)


def _has(words: str, title: str) -> bool:
    """Tell whether a normalised title has one of the words."""
    return bool(title) and re.search(rf"\b(?:{words})\b", title) is not None
