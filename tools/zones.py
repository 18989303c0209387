"""Time zones: of a Russian region, of a phone number, and what to make of several.

A place is known by one zone or by several: then only what suits all of them is safe.
"""

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers.timezone import time_zones_for_number

# Zone -> code of the region (Odoo's, else that of ISO 3166-2) and how its name
# begins in Russian, as public registers write it. A region may lie in several zones.
_REGIONS = {
    "Europe/Kaliningrad": "KGD калининградск",
    "Europe/Moscow": (
        "AD адыге, ARK архангельск, BEL белгородск, BRY брянск, CE чечен, CU чуваш, "
        "DA дагестан, IN ингуш, IVA ивановск, KB кабардино, KL калмык, KLU калужск, "
        "KC карачаево, KR карели, KIR кировск, KO коми, KOS костромск, "
        "KDA краснодарск, KRS курск, LEN ленинградск, LIP липецк, ME марий, "
        "MO мордов, MOS московск, MOW москва, MUR мурманск, NIZ нижегородск, "
        "NGR новгородск, ORL орловск, PNZ пензенск, PSK псковск, ROS ростовск, "
        "RYA рязанск, SPE петербург, SE осети, SMO смоленск, STA ставропольск, "
        "TAM тамбовск, TA татарстан, TUL тульск, TVE тверск, VLA владимирск, "
        "VGG волгоградск, VLG вологодск, VOR воронежск, YAR ярославск, NEN ненецк, "
        "CR крым, SEV севастопол, DON донецк, LUG луганск, ZAP запорожск, HER херсонск"
    ),
    "Europe/Samara": (
        "AST астраханск, SAM самарск, SAR саратовск, UD удмурт, ULY ульяновск"
    ),
    "Asia/Yekaterinburg": (
        "BA башкортостан, CHE челябинск, KGN курганск, ORE оренбургск, PER пермск, "
        "SVE свердловск, TYU тюменск, KHM ханты, YAN ямало"
    ),
    "Asia/Omsk": "OMS омск",
    "Asia/Krasnoyarsk": (
        "AL алтай, ALT алтайск, KEM кемеровск, KYA красноярск, KK хакаси, TY тыва, "
        "NVS новосибирск, TOM томск"
    ),
    "Asia/Irkutsk": "BU бурят, IRK иркутск",
    "Asia/Yakutsk": "AMU амурск, ZAB забайкальск, SA саха",
    "Asia/Vladivostok": "PRI приморск, KHA хабаровск, YEV еврейск, SA саха",
    "Asia/Magadan": "MAG магаданск, SAK сахалин, SA саха",
    "Asia/Kamchatka": "KAM камчатск, CHU чукотск",
}
RUSSIA = tuple(_REGIONS)
KAZAKHSTAN = ("Asia/Almaty", "Asia/Aqtobe")
# After these more letters would be another region: Саха, Сахалин.
_WHOLE_WORDS = {"саха", "коми"}


def _read_regions():
    """Return the tables: code -> zones, pattern of a name -> zones."""
    by_code, by_stem = {}, {}
    for zone, regions in _REGIONS.items():
        for region in regions.split(", "):
            code, stem = region.split()
            by_code[code] = (*by_code.get(code, ()), zone)
            by_stem[stem] = (*by_stem.get(stem, ()), zone)
    patterns = {
        # not inside "Ямало-Ненецкий"
        re.compile(rf"(?<![\w-]){stem}" + (r"\b" if stem in _WHOLE_WORDS else "")): all_
        for stem, all_ in by_stem.items()
        if stem != "петербург"
    }
    patterns[re.compile("петербург")] = by_stem["петербург"]
    return by_code, patterns


_BY_CODE, _BY_NAME = _read_regions()


def zones_of_state(code):
    """Return the zones of a Russian region by its code; none for an unknown one."""
    return _BY_CODE.get(code or "", ())


@lru_cache(10_000)
def zones_of_region(name):
    """Return the zones of the Russian regions that a text names, none when unknown.

    :param str name: for example ``"г. Москва и Московская область"``
    """
    name = (name or "").lower().replace("ё", "е")
    found = {
        zone
        for pattern, zones in _BY_NAME.items()
        if pattern.search(name)
        for zone in zones
    }
    return tuple(sorted(found))


def zones_of_number(number):
    """Return the zones in which the owner of a number may be, none when unknown.

    :param str number: E.164
    """
    # a mobile number says nothing about the place
    if number.startswith("+79"):
        return RUSSIA
    return KAZAKHSTAN if number.startswith("+77") else _zones_of_foreign(number)


@lru_cache(10_000)
def _zones_of_foreign(number):
    try:
        zones = time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in zones if is_zone(zone) and zone != "Etc/Unknown")


@lru_cache(1000)
def is_zone(name):
    """Say whether this computer knows a time zone."""
    try:
        return bool(ZoneInfo(name))
    except (KeyError, OSError, ValueError):
        return False


def find_zones(number, *, contact=None, state=None, region=None, company="UTC"):
    """Return the zones that must all be respected for a number, and how they are known.

    A new contact gets the time zone of its creator, and a number may be used
    far from where it was bought. So where contact, address and range of the number
    speak of different times, all of them count.

    :param str number: E.164
    :param str contact: time zone of the contact
    :param str state: code of the Russian region of its address
    :param str region: where the range of the number belongs, in Russian
    :param str company: time zone of the company
    :return: a tuple of names, and one of ``address``, ``contact``, ``number``,
        ``several`` (they differ), ``country`` (only the country of the number is known)
        and ``company`` (nothing is)
    """
    known = {
        "address": zones_of_state(state),
        "contact": (contact,) if contact and is_zone(contact) else (),
        "number": zones_of_region(region) if region else (),
    }
    known = {source: zones for source, zones in known.items() if zones}
    if not known:
        if zones := zones_of_number(number):
            return zones, "country" if len(zones) > 1 else "number"
        return (company if is_zone(company) else "UTC",), "company"
    clocks = [{_clock(zone) for zone in zones} for zones in known.values()]
    if all(clock == clocks[0] for clock in clocks):
        source = next(iter(known))
        return known[source], source
    return tuple(
        sorted({zone for zones in known.values() for zone in zones})
    ), "several"


@lru_cache(1000)
def _clock(zone):
    """Return what the clocks of a zone show in winter and in summer."""
    year = datetime.now().year
    return tuple(
        datetime(year, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)
    )
