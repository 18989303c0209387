# ruff: noqa: E501 - a table to be read line by line
"""Headers as programs and people write them, to measure the recognition of columns.

One line is one table: columns separated by "|", each a title and, after "=", what is
below it (see ``CELLS``; a digit after it is the share of filled cells, in tenths).
"P", "Q" and "N" before a title mark the telephone, the second one, and the name.
"""

HEADERS = """
# CRM exports, Russian
ID=count | Название лида=text | N Имя=first | Фамилия=last | Компания=firm 4 | P Мобильный телефон=mobile | Q Рабочий телефон=landline 5 | E-mail=email | Комментарий=comment 3
ID=count | N Полное имя контакта=person | Должность=post 3 | Компания=firm | Ответственный=person | P Мобильный телефон (контакт)=mobile | Q Рабочий телефон (контакт)=landline 6 | Рабочий email=email | Дата создания=date
№=count | N Контакт=person | P Телефон=mobile | Email=email | Теги=text 3 | Менеджер=person | Бюджет сделки=sum
Клиент ID=count | N Клиент=person | P Сотовый=mobile | Q Домашний=landline 4 | Источник=text | Статус=text | Дата последнего визита=date
N Наименование=firm | ИНН=inn | КПП=kpp | P Телефон=mobile | Факс=landline 5 | Юр. адрес=address
Контрагент=firm | N Контактное лицо=person | P Мобильный=mobile 9 | Q Телефон=landline | Электронная почта=email
N Контрагент=firm | Мобильный=empty | P Телефон=mobile | Задолженность=sum
N Заказчик=person | P Тел.=mobile | Q Тел. доп.=mobile 2 | Номер заказа=order | Сумма=sum | Статус заказа=text
N ФИО клиента=person | P Номер телефона=mobile | Дата рождения=date | Пол=sex | Кол-во визитов=count | Оплачено=sum
Карта=card | N Владелец карты=person | P Телефон владельца=mobile | Бонусы=sum | Номер карты=card
N Имя=person | P WhatsApp=mobile | Город=city | Интерес=text
Дата заявки=date | N Имя клиента=first | P Контактный телефон=mobile | Услуга=text | Мастер=person
# 1C
Код=count | N Контрагент=firm | ИНН=inn9 | P Телефон контрагента=mobile | Менеджер=person
Код=code | N Наименование=person | P Моб. тел.=mobile | Группа доступа=text
№ п/п=count | N Физическое лицо (ФИО)=person | СНИЛС=snils | P Телефон мобильный=mobile | Дата приема=date
Партнер=firm | N Контактное лицо партнера=person | P Телефон для SMS=mobile | Q Телефон=landline | Адрес доставки=address
N Покупатель=firm | Договор=contract | P Телефон=apostrophe | Долг=sum | Дней просрочки=count
Организация=firm | N Сотрудник=person | Подразделение=text | Табельный номер=code | P Телефон=mobile
N Получатель=person | P Номер=mobile | Сумма выплаты=sum | Лицевой счет=account
P Телефон=plain | N Имя адресата=person
Лицевой счёт=account | N Абонент=person | Адрес=address | P Телефон=mobile 7 | Сальдо=sum
# Banks and debts
Номер договора=contract | N Заёмщик=person | P Моб.тел.=mobile | Дата платежа=date | Сумма платежа=sum | Остаток долга=sum
N Клиент=person | Паспорт=passport | P Мобильный телефон=mobile | Q Доп. телефон=mobile 3 | Номер счета=account | Баланс=sum
N Держатель=person | Номер карты=card | P СМС-номер=mobile | Тариф=text
ИНН=inn9 | ОГРН=ogrn | N Наименование организации=firm | P Телефон=landline_mobile
N Плательщик=person | ИНН плательщика=inn9 | БИК=bik | P Телефон=mobile | Назначение=text
N ФИО=person | Дата рождения=date | Серия=count | Номер паспорта=passport | P Телефон 1=mobile | Q Телефон 2=mobile 4 | Сумма долга=sum
N Собственник=person | Номер квартиры=count | P Телефон=mobile | Долг за ЖКУ=sum | Площадь=sum
N Участник СНТ=person | Участок №=count | P Телефон=person_mobile | Взнос=sum
# Shops
Заказ=order | Дата=date | N Покупатель=person | P Телефон покупателя=mobile | Товар=text | Сумма=sum | Трек-номер=track
Номер заказа=order | N Получатель=person | P Телефон получателя=mobile | Адрес доставки=address | Способ оплаты=text
Артикул=code | N Имя покупателя=person | P Телефон=mobile | Штрихкод=ean | Кол-во=count
Дисконтная карта=card | N ФИО=person | P Моб. телефон=mobile | ДР=date | Скидка=percent
Дата=date | Отправитель=firm | N Получатель=person | Номер накладной=code | P Тел. получателя=mobile
# Schools, clubs, clinics
Класс=text | N Ученик=person | Родитель=person | P Телефон родителя=mobile
N ФИО ребёнка=person | Группа=text | P Телефон мамы=mobile | Q Телефон папы=mobile 6
N Студент=person | Номер зачётки=code | Курс=count | P Телефон=mobile | E-mail=email
N Пациент=person | Номер полиса=policy | P Сотовый телефон=mobile | Q Домашний телефон=landline 5 | Врач=person | Дата приёма=date
N Гость=person | Номер комнаты=count | P Телефон=foreign | Дата заезда=date
N Участник=person | P Контакты=person_mobile | Мероприятие=text | Оплата=sum
Дата занятия=date | N Слушатель ФИО=person | P Телефон=mobile | Преподаватель=person
Тренер=person | N Клиент=person | Абонемент №=code | P Тел=mobile | Окончание=date
N Фамилия Имя Отчество=person | P Телефон / факс=landline_mobile | Примечание=comment 4
Фамилия=last | N Имя=first | Отчество=patronymic | P Телефон=mobile
# By hand
N ФИО=person | P Моб=mobile
N Кто=person | P Куда=mobile
N Имя=first | P Номер=plain | Город=city
P Телефон=several | N Имя=person
P ТЕЛЕФОН=mobile | N ИМЯ=person | АДРЕС=address | ПРИМЕЧАНИЕ=comment 3
N Название=firm | P Телефоны=several | Сайт=site | Рубрика=text
N Жилец=person | Дом=count | Квартира=count | P Телефон для связи=mobile
# English
id=count | N name=person | P phone=mobile | email=email | created_at=date
Record ID=count | N First Name=first | Last Name=last | P Mobile Phone Number=mobile | Q Phone Number=landline 6 | Company name=firm | Lead Status=text
N Full Name=person | Title=post | Account Name=firm | P Mobile=mobile | Q Phone=landline | Fax=landline 4 | Lead Source=text
CustomerID=count | N CustomerName=person | P PhoneNumber=mobile | OrderNumber=order | Total=sum
N first_name=first | last_name=last | P mobile_phone=mobile | Q home_phone=landline 3 | zip=zip | city=city
Order=order | Email=email | Total=sum | N Billing Name=person | P Billing Phone=mobile | Shipping City=city | Notes=comment 3
N Name=person | Given Name=first | Family Name=last | P Phone 1 - Value=mobile | Q Phone 2 - Value=mobile 2 | Notes=comment 2
N Customer=firm | Tax ID=inn9 | P Tel=mobile | Q Work phone=landline | Balance=sum
N Student Name=person | Parent Name=person | P Parent Mobile=mobile | Grade=count
N Patient=person | DOB=date | P Cell=mobile | Insurance Policy Number=policy | Doctor=person
N Owner=person | Unit=count | P Contact number=mobile | Account number=account | Balance due=sum
N Participant=person | P Cell phone=mobile | Emergency phone=mobile | T-shirt=text
N Display Name=person | User name=email | Job title=post | P Mobile phone=mobile | Q Office phone=landline | Department=text
N Member=person | Card Number=card | P MSISDN=plain | Expiry Date=date
N Guest Name=person | Confirmation Number=code | P Phone=foreign | Nights=count
""".strip().splitlines()

_FIRST = ("Иван", "Пётр", "Анна", "Юлия", "Олег")
_LAST = ("Иванов", "Петров", "Сидорова", "Попова", "Ким")
CELLS = {
    "count": lambda n: str(n + 1),
    "code": lambda n: f"00-000{n:05d}",
    "text": lambda n: ("новый", "в работе", "закрыт")[n % 3],
    "comment": lambda n: f"звонить после {n % 12 + 8}, 8 916 100-{n % 90 + 10}-30",
    "first": lambda n: _FIRST[n % 5],
    "last": lambda n: _LAST[n % 5],
    "patronymic": lambda n: ("Иванович", "Петрович", "Ильинична")[n % 3],
    "person": lambda n: f"{_LAST[n % 5]} {_FIRST[n % 5]}",
    "firm": lambda n: ("ООО «Ромашка»", "ИП Петров", "АО Заря", "Лютик")[n % 4],
    "post": lambda n: ("директор", "менеджер")[n % 2],
    "sex": lambda n: "мж"[n % 2],
    "mobile": lambda n: f"+7 91{n % 10} 10{n % 10}-2{n % 10}-3{n % 10}",
    "plain": lambda n: str(79160000000 + n * 37),
    "apostrophe": lambda n: f"'8916{n:07d}",
    "person_mobile": lambda n: f"{_FIRST[n % 5]} 8 916 {n % 900 + 100}-20-30",
    "several": lambda n: f"8 495 123-45-6{n % 10}, 8 916 100-20-3{n % 10}",
    "landline": lambda n: f"8 (495) 12{n % 10}-45-67",
    "landline_mobile": lambda n: CELLS["mobile" if n % 2 else "landline"](n),
    "foreign": lambda n: f"+4915{n % 10}1234567{n % 10}",
    "email": lambda n: f"user{n}@example.com",
    "site": lambda n: f"www.example{n}.com",
    "date": lambda n: f"{n % 28 + 1:02d}.03.1985",
    "sum": lambda n: f"{n * 137 % 9000}.50",
    "percent": lambda n: f"{n % 20}%",
    "address": lambda n: f"Москва, ул. Ленина, {n + 1}",
    "city": lambda n: ("Москва", "Тверь", "Казань")[n % 3],
    "zip": lambda n: str(101000 + n),
    "order": lambda n: str(9100000000 + n * 7919),
    "contract": lambda n: f"Д-{9000 + n}/2025",
    "inn": lambda n: str(7701234567 + n),
    "inn9": lambda n: str(9102345678 + n * 11),
    "kpp": lambda n: str(770101001 + n),
    "ogrn": lambda n: str(1027700132195 + n),
    "bik": lambda n: f"0445252{n % 90 + 10}",
    "snils": lambda n: f"112-233-445 {n % 90 + 10}",
    "account": lambda n: str(9120000000 + n * 13),
    "passport": lambda n: f"4509 {100000 + n}",
    "policy": lambda n: str(7950000000000000 + n),
    "card": lambda n: str(2200000000000000 + n * 7),
    "ean": lambda n: str(4600000000000 + n * 3),
    "track": lambda n: str(80089000000000 + n),
    "empty": lambda n: "",
}


def tables(rows=40):
    """Yield (titles, rows of cells, {role: index}) of each header."""
    for line in HEADERS:
        if line.startswith("#"):
            continue
        titles, kinds, roles = [], [], {}
        for index, column in enumerate(line.split(" | ")):
            title, _equals, kind = column.rpartition("=")
            kind, _space, share = kind.partition(" ")
            role = {"P ": "phone", "Q ": "phone2", "N ": "name"}.get(title[:2])
            if role:
                roles[role] = index
            titles.append(title[2:] if role else title)
            kinds.append((CELLS[kind], int(share or 10)))
        yield (
            titles,
            [
                [cell(n) if n % 10 < share else "" for cell, share in kinds]
                for n in range(rows)
            ],
            roles,
        )
