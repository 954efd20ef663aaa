"""Parameters: how a tool names and describes one, what its schema is, and how a user gives it a value."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from training.corpus import values
from training.corpus.values import Make, Value
from training.corpus.words import Words, part


@dataclass(frozen=True, slots=True)
class Slot:
    """A kind of parameter.

    `names`: what tools call it. `about`: descriptions. `says`: how a user gives the value {v}, as part of a request.
    `nouns`: what to call it when asking for it. `schema`: its JSON Schema, without the description.
    """

    kind: str
    names: tuple[str, ...]
    about: tuple[str, ...]
    says: tuple[str, ...]
    nouns: tuple[str, ...]
    make: Make
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A slot as one tool has it: `options` only where the values are an enumeration."""

    slot: Slot
    name: str
    required: bool
    schema: Mapping[str, Any]
    options: tuple[str, ...] = ()

    def value(self, rng: random.Random, words: Words) -> Value:
        """A value of the parameter."""
        if self.options:
            option = rng.choice(self.options)
            return option, option.replace("_", " ")
        return self.slot.make(rng, words)

    def said(self, rng: random.Random, words: Words, spoken: str) -> str:
        """The value as part of a request."""
        if self.slot.kind == "flag":
            return spoken
        return rng.choice(part(self.slot.says, words.split)).replace("{v}", spoken)


_STRING: Final = {"type": "string"}

_INTEGER: Final = {"type": "integer"}

_NUMBER: Final = {"type": "number"}

_STRINGS: Final = {"type": "array", "items": {"type": "string"}}


def _never(rng: random.Random, words: Words) -> Value:
    raise AssertionError("values come from the options")


def _slot(kind: str, names: str, about: str, says: str, nouns: str, make: Make, schema: Mapping[str, Any]) -> Slot:
    def cut(text: str) -> tuple[str, ...]:
        return tuple(piece.strip() for piece in text.split("|"))

    return Slot(kind, cut(names), cut(about), cut(says), cut(nouns), make, schema)


_RANGE_SCHEMA: Final = {
    "type": "object", "properties": {"min": _NUMBER, "max": _NUMBER}, "required": ["min", "max"],
}  # fmt: skip

_PERIOD_SCHEMA: Final = {
    "type": "object", "properties": {"start": {"type": "string", "format": "date"}, "end": {"type": "string", "format": "date"}},
    "required": ["start", "end"],
}  # fmt: skip

_ADDRESS_SCHEMA: Final = {
    "type": "object", "properties": {"street": _STRING, "city": _STRING, "postal_code": _STRING},
    "required": ["street", "city"],
}  # fmt: skip

_CONTACT_SCHEMA: Final = {
    "type": "object", "properties": {"name": _STRING, "email": _STRING}, "required": ["name", "email"],
}  # fmt: skip

_ITEMS_SCHEMA: Final = {
    "type": "array",
    "items": {
        "type": "object", "properties": {"product": _STRING, "quantity": _INTEGER}, "required": ["product", "quantity"],
    },
}  # fmt: skip

_SETTINGS_SCHEMA: Final = {"type": "object", "properties": {"color": _STRING, "size": _INTEGER}}

# fmt: off
SLOTS: Final[dict[str, Slot]] = {
    slot.kind: slot
    for slot in (
        _slot("city", "location|city|place|town|where|city_name", "The city name.|The city, e.g. Paris.|Where to look.|Name of the city or town.|The location to look up.",
              "in {v}|for {v}|near {v}|at {v}|around {v}|over in {v}", "city|location|place", values.city, _STRING),
        _slot("us_city", "location|city|place", "The city and state, e.g. San Francisco, CA|City and state, such as Boston, MA",
              "in {v}|for {v}|near {v}", "city|location", values.word("us_city"), _STRING),
        _slot("from_city", "origin|from|departure|start|from_city|source", "Where the trip starts.|City of departure.|Starting point.",
              "from {v}|starting in {v}|leaving from {v}", "starting point|city of departure|origin", values.word("city"), _STRING),
        _slot("to_city", "destination|to|arrival|end|to_city|target", "Where the trip goes.|City of arrival.|The destination.",
              "to {v}|going to {v}|with {v} as the destination", "destination", values.word("city"), _STRING),
        _slot("country", "country|nation|country_name", "The country's name.|Which country.|Name of the country, in English.",
              "in {v}|for {v}|of {v}", "country", values.word("country"), _STRING),
        _slot("person", "name|person|full_name|contact_name|assignee|employee|customer|member", "The person's name.|Name of the person.|Who it is about.",
              "for {v}|with the name {v}|named {v}|and the person is {v}", "name|person", values.person_value, _STRING),
        _slot("to_person", "recipient|to|to_name|contact|addressee", "Who gets it.|Name of the recipient.|The person to reach.",
              "to {v}|for {v}|addressed to {v}", "recipient|person", values.person_value, _STRING),
        _slot("email", "email|email_address|to|recipient|address|mail", "The e-mail address.|A valid email address.|Address to use.",
              "to {v}|at {v}|using {v}|with the address {v}", "email address|e-mail|address", values.email_value, {"type": "string", "format": "email"}),
        _slot("phone", "phone|phone_number|number|mobile", "The phone number.|Number to call, with or without country code.",
              "to {v}|at {v}|on {v}|with the number {v}", "phone number|number", values.phone, _STRING),
        _slot("id", "id|{n}_id|reference|{n}_number|code|identifier", "The {n}'s ID.|Identifier of the {n}.|ID of the {n} to use, e.g. A-123.",
              "with ID {v}|number {v}|{v}|with the reference {v}|with the code {v}|ID {v}", "ID|number|reference|code", values.identifier_value, _STRING),
        _slot("number_id", "id|{n}_id|{n}_number", "The {n}'s numeric ID.|Number of the {n}.", "with ID {v}|number {v}|#{v}|no. {v}|ID {v}", "ID|number", values.number_id, _INTEGER),
        _slot("count", "limit|count|max_results|number|top_k|n|amount|how_many", "How many to return.|The maximum number of results.|Number of items.|How many.",
              "and limit it to {v}|with at most {v} results|just {v} of them|{v} results, please|and show only {v}|with a limit of {v}", "number of results|limit|number", values.count, _INTEGER),
        _slot("guests", "guests|people|party_size|travelers|persons|seats", "How many people.|Number of people.|The size of the group.",
              "for {v} people|for a group of {v}|for {v} persons|we are {v} people", "number of people|people", values.count, _INTEGER),
        _slot("amount", "amount|value|price|sum|total", "The amount of money.|How much.|Amount, without currency.",
              "of {v}|for {v}|with the amount {v}|in the amount of {v}", "amount", values.amount, _NUMBER),
        _slot("decimal", "value|quantity|amount|number|weight|distance", "The value.|A number.|The quantity.", "{v}|of {v}|with the value {v}", "value|number|quantity", values.decimal, _NUMBER),
        _slot("percent", "percent|percentage|rate|level|volume|brightness", "A percentage from 0 to 100.|Level in percent.", "to {v}%|at {v} percent|to {v} percent|{v}%", "percentage|percent|level", values.percent, _INTEGER),
        _slot("date", "date|day|on_date|start_date|due_date|when", "The date, as YYYY-MM-DD.|A date in ISO format, e.g. 2025-03-14.|Day, YYYY-MM-DD.",
              "on {v}|for {v}|dated {v}|and the date is {v}", "date|day", values.iso_date, {"type": "string", "format": "date"}),
        _slot("due", "due_date|due|deadline|by", "When it is due, YYYY-MM-DD.|The deadline as YYYY-MM-DD.", "due {v}|due on {v}|by {v}|with the deadline {v}", "due date|deadline|date", values.iso_date, _STRING),
        _slot("day", "day|when|date|weekday", "Which day.|The day, e.g. Monday or tomorrow.|Day to look at.", "on {v}|for {v}|{v}", "day", values.day, _STRING),
        _slot("month_day", "date|day|when", "The day, such as March 5.|The date as month and day.", "on {v}|for {v}", "date|day", values.month_day, _STRING),
        _slot("time", "time|at|start_time|clock_time|hour", "The time, as HH:MM.|Time of day in 24-hour form.|When, HH:MM.", "at {v}|for {v}|starting at {v}", "time", values.time, _STRING),
        _slot("minutes", "minutes|duration|duration_minutes|length|mins", "How long, in minutes.|Length in minutes.|Number of minutes.", "for {v} minutes|lasting {v} minutes|of {v} minutes|{v} minutes long", "duration|minutes|long", values.minutes, _INTEGER),
        _slot("message", "message|text|body|content|note", "The text of the message.|What it says.|Body of the message.|The text.",
              'saying "{v}"|with the message "{v}"|that says "{v}"|with the text "{v}"|with this text: "{v}"', "message|text|say", values.sentence_value, _STRING),
        _slot("title", "title|name|subject|heading|summary|label", "The title.|A short title.|What it is called.|Title of the {n}.",
              'called "{v}"|with the title "{v}"|titled "{v}"|named "{v}"', "title|name|called", values.title, _STRING),
        _slot("query", "query|q|search|keywords|search_term|term|text", "What to search for.|The search query.|Keywords to look for.|Words to find.",
              'for "{v}"|about {v}|on {v}|matching "{v}"|for {v}', "search|query|look for|keywords", values.query, _STRING),
        _slot("topic", "topic|subject|theme|about", "The topic.|What it should be about.|Subject of interest.", "about {v}|on {v}|on the topic of {v}", "topic|subject|about", values.word("topic"), _STRING),
        _slot("url", "url|link|address|page|website", "The URL.|Address of the page, with https://.|Link to open.", "at {v}|from {v}|{v}|under {v}", "URL|link|address|page", values.url, {"type": "string", "format": "uri"}),
        _slot("path", "path|file|filename|file_path|document", "Path of the file.|The file's name or path.|Which file.", "{v}|in {v}|the file {v}|located at {v}", "file|path", values.path, _STRING),
        _slot("company", "company|organization|vendor|client|business", "The company's name.|Which company.|Name of the business.", "for {v}|of {v}|from {v}|about {v}", "company", values.word("company"), _STRING),
        _slot("product", "product|item|product_name|article|item_name", "The product's name.|Which product.|Name of the item.", "for the {v}|of the {v}|about the {v}|on the {v}", "product|item", values.word("product"), _STRING),
        _slot("food", "dish|recipe|food|meal", "The dish.|Name of the dish.|What to cook.", "for {v}|with {v}|of {v}", "dish|food|meal", values.word("food"), _STRING),
        _slot("ingredients", "ingredients|with|items|foods", "Ingredients to use.|A list of ingredients.", "with {v}|using {v}|from {v}", "ingredients", values.list_of("food", 2, 3), _STRINGS),
        _slot("book", "title|book|book_title", "The book's title.|Which book.", 'called "{v}"|"{v}"|with the title {v}', "book|title", values.word("book"), _STRING),
        _slot("song", "song|track|title|song_title", "The song's title.|Which song.", '"{v}"|called {v}|{v}', "song|title", values.word("song"), _STRING),
        _slot("artist", "artist|author|by|performer", "Who made it.|The artist's name.", "by {v}|from {v}", "artist|author|name", values.person_value, _STRING),
        _slot("language", "language|target_language|to_language|lang", "The language.|Which language to use.|Target language, in English.", "in {v}|into {v}|to {v}", "language", values.word("language"), _STRING),
        _slot("from_currency", "from|from_currency|base|source_currency", "Currency to convert from, e.g. USD.|ISO code of the source currency.", "from {v}|in {v}", "currency", values.word("currency"), _STRING),
        _slot("to_currency", "to|to_currency|target|target_currency", "Currency to convert to, e.g. EUR.|ISO code of the target currency.", "to {v}|into {v}", "target currency|currency", values.word("currency"), _STRING),
        _slot("ticker", "ticker|symbol|stock|ticker_symbol", "The ticker symbol, e.g. AAPL.|Stock symbol.|The stock ticker symbol, e.g. AAPL for Apple Inc.", "for {v}|of {v}", "ticker|stock|symbol", values.word("ticker"), _STRING),
        _slot("color", "color|colour|paint", "The color.|Which color.", "in {v}|to {v}|in the color {v}", "color", values.word("color"), _STRING),
        _slot("animal", "animal|species|pet", "The animal.|Which animal.", "for a {v}|of a {v}|about the {v}", "animal|species", values.word("animal"), _STRING),
        _slot("department", "department|team|group|unit", "The department.|Which team.", "in {v}|for the {v} team|of the {v} department", "department|team", values.word("department"), _STRING),
        _slot("expression", "expression|formula|calculation|input", "The math expression to evaluate.|An arithmetic expression, e.g. 2 + 2.", "{v}|for {v}", "expression|calculation", values.expression, _STRING),
        _slot("sql", "query|sql|statement", "The SQL query.|A database query.", "{v}|with the query {v}", "query", values.sql, _STRING),
        _slot("tags", "tags|labels|keywords|categories", "Tags to set.|A list of labels.|Labels.", "tagged {v}|with the tags {v}|with the labels {v}|labelled {v}", "tags|labels", values.list_of("tag", 1, 3), _STRINGS),
        _slot("people", "attendees|participants|members|names|guests|assignees", "Who takes part.|Names of the people.|A list of names.", "with {v}|for {v}|and invite {v}", "people|names|attendees", values.list_of("first", 1, 4), _STRINGS),
        _slot("emails", "recipients|emails|to|invitees|addresses", "E-mail addresses.|A list of recipients.", "to {v}|with {v}", "email addresses|recipients|addresses", values.emails, {"type": "array", "items": {"type": "string", "format": "email"}}),
        _slot("cities", "cities|locations|places|stops", "The cities.|A list of places.", "for {v}|in {v}", "cities|places", values.list_of("city", 2, 4), _STRINGS),
        _slot("numbers", "numbers|values|data|figures", "The numbers.|A list of values.", "of {v}|for {v}|for the numbers {v}", "numbers|values", values.numbers, {"type": "array", "items": {"type": "number"}}),
        _slot("price_range", "price|price_range|range|budget", "Lowest and highest price.|Range of prices.", "priced {v}|costing {v}|{v}", "price range|price", values.bounds, _RANGE_SCHEMA),
        _slot("period", "period|date_range|range|dates|time_range", "First and last day.|The period, both days included.", "{v}", "period|dates", values.period, _PERIOD_SCHEMA),
        _slot("street_address", "address|shipping_address|delivery_address|home_address", "The postal address.|Where to deliver.", "to {v}|at {v}", "address", values.address, _ADDRESS_SCHEMA),
        _slot("contact", "contact|customer|user|client|owner", "The person to contact.|Name and e-mail of the person.", "for {v}|of {v}", "contact|name|email", values.contact, _CONTACT_SCHEMA),
        _slot("items", "items|products|lines|order_items|cart", "What to order, and how many of each.|The items.", "with {v}|containing {v}|for {v}", "items|products", values.items, _ITEMS_SCHEMA),
        _slot("style", "style|settings|options|format_options", "How it should look.|Display settings.", "with {v}|using {v}", "style|settings", values.settings, _SETTINGS_SCHEMA),
    )
}

ENUMS: Final[dict[str, tuple[str, str, tuple[str, ...], tuple[tuple[str, ...], ...]]]] = {
    # kind: names, descriptions, says, sets of options
    "priority": ("priority|importance|severity|level", "How important it is.|The priority.", ("with {v} priority", "with the priority {v}", "as {v} priority"),
                 (("low", "medium", "high"), ("low", "normal", "high", "urgent"), ("minor", "major", "critical"))),
    "status": ("status|state|filter|stage", "Which status.|The state to set or to filter by.|Status of the {n}.", ("with the status {v}", "in state {v}", "that are {v}", "as {v}"),
               (("open", "closed"), ("draft", "published", "archived"), ("pending", "active", "done"), ("new", "in_progress", "resolved"), ("paid", "unpaid", "overdue"))),
    "temp_unit": ("unit|units|temperature_unit|scale", "The unit of temperature.|Temperature unit.", ("in {v}", "in degrees {v}", "with {v} as the unit"), (("celsius", "fahrenheit"), ("celsius", "fahrenheit", "kelvin"))),
    "format": ("format|file_type|output_format|type", "The file format.|Output format.", ("as {v}", "in {v} format", "as a {v} file"), (("pdf", "csv", "json"), ("xml", "json", "yaml"), ("png", "jpeg", "svg"), ("docx", "pdf", "html"))),
    "sort": ("sort|order|sort_by|order_by", "How to sort.|Order of the results.", ("sorted by {v}", "ordered by {v}", "sort by {v}"), (("date", "price", "rating"), ("name", "size", "date"), ("relevance", "newest", "oldest"))),
    "size": ("size|dimension|format_size", "The size.|Which size.", ("in size {v}", "in {v}", "size {v}"), (("small", "medium", "large"), ("S", "M", "L", "XL"))),
    "channel": ("channel|method|via|medium", "How to deliver it.|Channel to use.", ("by {v}", "via {v}", "over {v}"), (("email", "sms", "push"), ("phone", "chat", "email"), ("slack", "email"))),
    "mode": ("mode|type|kind|travel_mode", "How to travel.|The mode.", ("by {v}", "using {v} mode", "{v}"), (("car", "train", "bus"), ("walking", "driving", "cycling"), ("economy", "business", "first"))),
    "period_name": ("period|interval|frequency|granularity", "Which period.|How often.", ("for the {v}", "per {v}", "by {v}"), (("day", "week", "month"), ("hour", "day"), ("month", "quarter", "year"))),
    "category": ("category|type|section|genre|kind", "The category.|Which kind.", ("in the category {v}", "of type {v}", "from the {v} section"), (("sports", "politics", "science", "business"), ("hardware", "software", "network"), ("fiction", "history", "travel"), ("comedy", "drama", "action"), ("food", "transport", "housing"))),
}

FLAGS: Final[tuple[tuple[str, str, str, str], ...]] = (
    # name, description, said when true, said when false
    ("include_archived", "Whether archived ones are included.", "including archived ones", "without archived ones"),
    ("notify", "Whether to notify the people involved.", "and notify everyone", "without notifying anyone"),
    ("dry_run", "Only show what would be done.", "as a dry run", "for real, not as a dry run"),
    ("urgent", "Whether it is urgent.", "and mark it as urgent", "and don't mark it as urgent"),
    ("public", "Whether everyone can see it.", "and make it public", "and keep it private"),
    ("recursive", "Whether to look into subfolders.", "including subfolders", "without subfolders"),
    ("send_copy", "Send a copy to the user.", "and send me a copy", "and don't send me a copy"),
    ("express", "Whether express delivery is used.", "with express delivery", "without express delivery"),
    ("detailed", "Whether to give every detail.", "with all the details", "without details"),
    ("all_day", "Whether it lasts the whole day.", "for the whole day", "but not for the whole day"),
)

# fmt: on
def enumeration(kind: str, rng: random.Random) -> tuple[Slot, tuple[str, ...]]:
    """A slot whose values are options, and the options."""
    names, about, says, sets = ENUMS[kind]
    options = rng.choice(sets)
    slot = Slot(
        kind, tuple(names.split("|")), tuple(about.split("|")), says, (kind.split("_")[0],), _never,
        {"type": "string", "enum": list(options)},
    )  # fmt: skip
    return slot, options


def flag(rng: random.Random) -> Slot:
    """A slot that is true or false."""
    name, about, yes, no = rng.choice(FLAGS)

    def make(rng: random.Random, words: Words) -> Value:
        value = rng.random() < 0.7
        return value, yes if value else no

    return Slot("flag", (name,), (about,), ("{v}",), (name,), make, {"type": "boolean"})
