"""What the values of a `format` look like, as patterns.

A format is an annotation in draft 2020-12 unless a validator is told otherwise. Its values are produced all the same:
each pattern is a part of the format that every validator agrees on (no leap seconds, years of four digits from 1000,
dates that exist). Formats that are not listed assert nothing.

Source: JSON Schema 2020-12 Validation, 7.3; RFC 3339, 3986, 4291, 5321, 6901, 9562.
"""

from collections.abc import Mapping
from typing import Final

_YEAR = "[1-9][0-9]{3}"
_LEAP_YEAR = "(?:[1-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)"
_LONG_MONTH = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
_SHORT_MONTH = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_FEBRUARY = "02-(?:0[1-9]|1[0-9]|2[0-8])"
_DATE = f"(?:{_YEAR}-(?:{_LONG_MONTH}|{_SHORT_MONTH}|{_FEBRUARY})|{_LEAP_YEAR}-02-29)"
_OFFSET = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_TIME = rf"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,6}})?{_OFFSET}"

_N = "[0-9]{1,9}"
_DAYS = f"(?:{_N}Y(?:{_N}M(?:{_N}D)?)?|{_N}M(?:{_N}D)?|{_N}D)"
_HOURS = f"T(?:{_N}H(?:{_N}M(?:{_N}S)?)?|{_N}M(?:{_N}S)?|{_N}S)"

_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
# Two hyphens in a row mean Punycode in an internationalized name, which no pattern can judge.
_IDN_LABEL = "[a-zA-Z0-9]{1,20}(?:-[a-zA-Z0-9]{1,20}){0,2}"
_IDN_HOST = rf"{_IDN_LABEL}(?:\.{_IDN_LABEL})*"
_ATOM = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
_H = "[0-9a-fA-F]{1,4}"
_IPV6 = "|".join(
    [
        f"(?:{_H}:){{7}}{_H}",
        f"(?:{_H}:){{1,7}}:",
        *(f"(?:{_H}:){{1,{7 - behind}}}(?::{_H}){{1,{behind}}}" for behind in range(1, 7)),
        f":(?::{_H}){{1,7}}",
        "::",
    ]
)
_PATH = "(?:[a-zA-Z0-9._~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2})*"
_QUERY = "(?:[a-zA-Z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*"
_TAIL = rf"(?:\?{_QUERY})?(?:#{_QUERY})?"
_AUTHORITY = rf"//(?:{_HOST}|{_IPV4})?(?::[0-9]{{1,5}})?(?:/{_PATH})?"
_URI = f"[a-zA-Z][a-zA-Z0-9+.-]*:(?:{_AUTHORITY}|[a-zA-Z0-9]{_PATH}){_TAIL}"
_RELATIVE = rf"(?:\.{{0,2}}/)?[a-zA-Z0-9._~-]+(?:/[a-zA-Z0-9._~-]+)*/?{_TAIL}"
_POINTER = "(?:/(?:[^~/]|~[01])*)*"

PATTERNS: Final[Mapping[str, str]] = {
    "date": f"^{_DATE}$",
    "time": f"^{_TIME}$",
    "date-time": f"^{_DATE}T{_TIME}$",
    "duration": f"^P(?:{_N}W|{_DAYS}(?:{_HOURS})?|{_HOURS})$",
    "email": rf"^{_ATOM}(?:\.{_ATOM})*@{_HOST}$",
    "idn-email": rf"^{_ATOM}(?:\.{_ATOM})*@{_IDN_HOST}$",
    "hostname": f"^{_HOST}$",
    "idn-hostname": f"^{_IDN_HOST}$",
    "ipv4": f"^{_IPV4}$",
    "ipv6": f"^(?:{_IPV6})$",
    "uuid": "^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "uri": f"^{_URI}$",
    "iri": f"^{_URI}$",
    "uri-template": f"^{_URI}$",
    "uri-reference": f"^(?:{_URI}|{_RELATIVE})$",
    "iri-reference": f"^(?:{_URI}|{_RELATIVE})$",
    "json-pointer": f"^{_POINTER}$",
    "relative-json-pointer": f"^(?:0|[1-9][0-9]{{0,8}})(?:#|{_POINTER})$",
}
"""Format → the pattern of what is produced for it."""

LONGEST: Final[Mapping[str, int]] = {"hostname": 253, "idn-hostname": 253, "email": 254, "idn-email": 254}
"""Format → the most characters that its values may have."""

UNDECODABLE: Final = frozenset({"regex"})
"""Formats that assert something that no pattern can say."""
