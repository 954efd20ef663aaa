"""The values that parameters have: made at random, as JSON and as a user says them."""

import random
from collections.abc import Callable
from typing import Any, Final

from training.corpus.words import Words

Value = tuple[Any, str]
"""A value as JSON, and as a user says it."""

Make = Callable[[random.Random, Words], Value]

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

_COUNTS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def joined(items: list[str]) -> str:
    """The items as a list in a sentence."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def word(name: str) -> Make:
    def make(rng: random.Random, words: Words) -> Value:
        word = words.one(rng, name).replace(";", ",")
        return word, word

    return make


def city(rng: random.Random, words: Words) -> Value:
    return word("us_city" if rng.random() < 0.2 else "city")(rng, words)


def person(rng: random.Random, words: Words) -> str:
    """A person's name."""
    first = words.one(rng, "first")
    return f"{first} {words.one(rng, 'last')}" if rng.random() < 0.6 else first


def person_value(rng: random.Random, words: Words) -> Value:
    name = person(rng, words)
    return name, name


def email(rng: random.Random, words: Words) -> str:
    """An address."""
    first, last = words.one(rng, "first").lower(), words.one(rng, "last").lower()
    local = rng.choice(
        [first, f"{first}.{last}", f"{first[0]}{last}", f"{words.one(rng, 'user_word')}{rng.randint(1, 99)}"]
    )
    return f"{local}@{words.one(rng, 'domain_word')}.{words.one(rng, 'tld')}"


def email_value(rng: random.Random, words: Words) -> Value:
    address = email(rng, words)
    return address, address


def identifier(rng: random.Random) -> str:
    """An identifier of some system."""
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    digits = str(rng.randint(10, 10 ** rng.randint(2, 6)))
    return rng.choice(
        [digits, f"{letters}-{digits}", f"{letters}{digits}", f"{letters.lower()}_{digits}", f"#{digits}"]
    )


def identifier_value(rng: random.Random, words: Words) -> Value:
    made = identifier(rng).removeprefix("#")
    return made, made


def number_id(rng: random.Random, words: Words) -> Value:
    number = rng.randint(1, 10 ** rng.randint(1, 6))
    return number, str(number)


def count(rng: random.Random, words: Words) -> Value:
    number = rng.choice([rng.randint(1, 10), rng.randint(2, 50), 5 * rng.randint(1, 20)])
    return number, _COUNTS[number] if number <= 10 and rng.random() < 0.4 else str(number)


def amount(rng: random.Random, words: Words) -> Value:
    number = rng.choice(
        [rng.randint(1, 20) * 5, rng.randint(1, 999), rng.randint(1000, 9999), rng.randint(100, 99999) / 100]
    )
    return number, str(number)


def iso_date(rng: random.Random, words: Words) -> Value:
    date = f"{rng.randint(2023, 2027)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return date, date


def day(rng: random.Random, words: Words) -> Value:
    day = rng.choice(
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "today", "tomorrow"]
    )
    return day, day


def month_day(rng: random.Random, words: Words) -> Value:
    day = f"{rng.choice(_MONTHS)} {rng.randint(1, 28)}"
    return day, day


def time(rng: random.Random, words: Words) -> Value:
    time = f"{rng.randint(0, 23):02}:{rng.choice(['00', '15', '30', '45', f'{rng.randint(0, 59):02}'])}"
    return time, time


def minutes(rng: random.Random, words: Words) -> Value:
    number = rng.choice([5, 10, 15, 20, 25, 30, 40, 45, 60, 90, 120, rng.randint(2, 180)])
    return number, str(number)


def sentence(rng: random.Random, words: Words) -> str:
    """A short sentence without its full stop."""
    return f"{words.one(rng, 'sentence_subject')} {words.one(rng, 'sentence_rest')}"


def sentence_value(rng: random.Random, words: Words) -> Value:
    text = sentence(rng, words)
    if rng.random() < 0.3:
        text += rng.choice(["!", "."])
    return text, text


def title(rng: random.Random, words: Words) -> Value:
    title = rng.choice(
        [
            f"{words.one(rng, 'adjective').capitalize()} {words.one(rng, 'file_word')}",
            f"{words.one(rng, 'topic').capitalize()}",
            f"Notes on {words.one(rng, 'topic')}",
            f"Call {words.one(rng, 'first')}",
            f"{words.one(rng, 'company')} {words.one(rng, 'file_word')}",
            f"Buy a {words.one(rng, 'product')}",
            f"{words.one(rng, 'city')} trip",
        ]
    )
    return title, title


def query(rng: random.Random, words: Words) -> Value:
    query = rng.choice(
        [
            words.one(rng, "topic"),
            f"{words.one(rng, 'adjective')} {words.one(rng, 'product')}",
            f"{words.one(rng, 'topic')} in {words.one(rng, 'city')}",
            f"{words.one(rng, 'company')} {words.one(rng, 'file_word')}",
            f"{words.one(rng, 'topic')} for beginners",
            f"{words.one(rng, 'food')} recipe",
        ]
    )
    return query, query


def url(rng: random.Random, words: Words) -> Value:
    host = f"{rng.choice(['', 'www.', 'docs.', 'shop.', 'blog.'])}{words.one(rng, 'domain_word')}.{words.one(rng, 'tld')}"
    path = rng.choice(
        ["", f"/{words.one(rng, 'folder')}", f"/{words.one(rng, 'user_word')}/{words.one(rng, 'file_word')}"]
    )
    return (url := f"https://{host}{path}"), url


def path(rng: random.Random, words: Words) -> Value:
    ending = rng.choice(["", f"_{rng.randint(1, 99)}", f"-{words.one(rng, 'user_word')}"])
    name = f"{words.one(rng, 'file_word')}{ending}"
    file = f"{name}.{words.one(rng, 'extension')}"
    folders = "/".join(words.several(rng, "folder", rng.randint(0, 2)))
    path = f"{rng.choice(['/', '', '~/'])}{folders}/{file}" if folders else file
    return path, path


def phone(rng: random.Random, words: Words) -> Value:
    number = rng.choice(
        [
            f"+{rng.randint(1, 99)} {rng.randint(100, 999)} {rng.randint(100000, 999999)}",
            f"555-{rng.randint(1000, 9999)}",
        ]
    )
    return number, number


def expression(rng: random.Random, words: Words) -> Value:
    a, b, c = rng.randint(2, 999), rng.randint(2, 99), rng.randint(2, 50)
    op = rng.choice(["+", "-", "*", "/"])
    expression = rng.choice([f"{a} {op} {b}", f"({a} + {b}) * {c}", f"{a} * {b} + {c}", f"{a / 10} {op} {c}"])
    return expression, expression


def sql(rng: random.Random, words: Words) -> Value:
    table = (
        words.one(rng, "folder")
        if rng.random() < 0.3
        else rng.choice(["orders", "customers", "products", "events", "users", "invoices"])
    )
    query = rng.choice(
        [
            f"SELECT COUNT(*) FROM {table}",
            f"SELECT * FROM {table} LIMIT {rng.randint(1, 100)}",
            f"SELECT name FROM {table} WHERE id = {rng.randint(1, 999)}",
        ]
    )
    return query, query


def decimal(rng: random.Random, words: Words) -> Value:
    number = rng.choice([round(rng.uniform(0.1, 100), 1), rng.randint(1, 500), round(rng.uniform(1, 50), 2)])
    return number, str(number)


def percent(rng: random.Random, words: Words) -> Value:
    return (number := rng.randint(1, 100)), str(number)


def list_of(name: str, least: int, most: int) -> Make:
    def make(rng: random.Random, words: Words) -> Value:
        items = [item.replace(";", ",") for item in words.several(rng, name, rng.randint(least, most))]
        return items, joined(items)

    return make


def emails(rng: random.Random, words: Words) -> Value:
    items = [email(rng, words) for _ in range(rng.randint(1, 3))]
    return items, joined(items)


def numbers(rng: random.Random, words: Words) -> Value:
    items = [rng.randint(1, 200) for _ in range(rng.randint(2, 5))]
    return items, joined([str(item) for item in items])


def bounds(rng: random.Random, words: Words) -> Value:
    low = rng.randint(1, 500)
    return {"min": low, "max": (high := low + rng.randint(1, 500))}, f"between {low} and {high}"


def period(rng: random.Random, words: Words) -> Value:
    start, end = sorted((iso_date(rng, words)[0], iso_date(rng, words)[0]))
    return {"start": start, "end": end}, f"from {start} to {end}"


def address(rng: random.Random, words: Words) -> Value:
    street, city = f"{rng.randint(1, 300)} {words.one(rng, 'street')}", words.one(rng, "city")
    if rng.random() < 0.5:
        return {"street": street, "city": city}, f"{street}, {city}"
    code = str(rng.randint(10000, 99999))
    return {"street": street, "city": city, "postal_code": code}, f"{street}, {code} {city}"


def contact(rng: random.Random, words: Words) -> Value:
    name, address = person(rng, words), email(rng, words)
    return {"name": name, "email": address}, rng.choice(
        [f"{name} ({address})", f"{name} at {address}", f"{name}, {address}"]
    )


def items(rng: random.Random, words: Words) -> Value:
    products = words.several(rng, "product", rng.randint(1, 3))
    items = [{"product": product, "quantity": rng.randint(1, 12)} for product in products]
    spoken = [
        f"{_COUNTS[n] if n <= 10 and rng.random() < 0.3 else n} x {p}"
        for p, n in ((i["product"], int(i["quantity"])) for i in items)
    ]
    return items, joined(spoken)


def settings(rng: random.Random, words: Words) -> Value:
    color, size = words.one(rng, "color"), rng.randint(8, 32)
    return {"color": color, "size": size}, f"color {color} and size {size}"
