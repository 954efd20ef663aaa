"""What tools do, and the jobs that are made of a verb and a noun. Nouns and verbs have a held-out part.

Those that are written by hand are in `jobs`.
"""

import random
import re
from dataclasses import dataclass
from typing import Final, Literal

from training.corpus.words import Split, part

Outcome = Literal["facts", "made", "changed", "gone", "found", "sent", "number", "text"]
"""What a tool's result looks like."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a tool can do.

    `kind`: a user asks a question, or wants a job done. `verbs`: in the tool's name. `spoken`: in what the user says.
    `noun`: the tool name's. `objects`: what the user calls it. `slots`: kinds of parameter; those with "?" are
    optional. `about`: what the description says. `facts`: names of what a result tells. `also`: whole requests of
    the users, with {slot} for what the user gives.
    """

    kind: Literal["ask", "do"]
    verbs: tuple[str, ...]
    spoken: tuple[str, ...]
    noun: str
    objects: tuple[str, ...]
    slots: tuple[str, ...]
    about: tuple[str, ...]
    outcome: Outcome
    facts: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def cut(text: str) -> tuple[str, ...]:
    """The pieces between bars."""
    return tuple(piece.strip() for piece in text.split("|") if piece.strip())


def asking(
    noun: str,
    objects: str,
    slots: str,
    about: str,
    facts: str,
    also: str = "",
    verbs: str = "get|fetch|look_up|check|find",
) -> Action:
    """A question that a tool answers. What is several is divided by bars; slots by blanks."""
    return Action(
        "ask",
        cut(verbs),
        (),
        noun,
        cut(objects),
        tuple(slots.split()),
        cut(about),
        "facts",
        cut(facts),
        cut(also),
    )


def doing(
    verbs: str,
    spoken: str,
    noun: str,
    objects: str,
    slots: str,
    about: str,
    outcome: Outcome,
    also: str = "",
    facts: str = "",
) -> Action:
    """A job that a tool does, written down likewise."""
    return Action(
        "do",
        cut(verbs),
        cut(spoken),
        noun,
        cut(objects),
        tuple(slots.split()),
        cut(about),
        outcome,
        cut(facts),
        cut(also),
    )


Nouns = tuple[tuple[str, str], ...]


def _nouns(text: str) -> Nouns:
    pairs: list[tuple[str, str]] = []
    for word in cut(" ".join(text.split()).replace(",", "|")):
        one, _, many = word.partition("/")
        pairs.append(
            (
                one,
                many
                or (
                    f"{one[:-1]}ies"
                    if one.endswith("y") and one[-2] not in "aeo"
                    else f"{one}es"
                    if one.endswith(("s", "x", "ch"))
                    else f"{one}s"
                ),
            )
        )
    return tuple(pairs)


NOUNS: Final[Nouns] = _nouns("""
    invoice, order, subscription, project, task, campaign, contract, shipment, customer, employee, budget, survey, webhook,
    playlist, album, photo, video, document, folder, note, bookmark, comment, post, article, newsletter, podcast, course,
    lesson, exam, student, teacher, classroom, book loan, membership, gym session, workout, recipe, meal plan, shopping
    list, coupon, voucher, gift card, refund, payment, expense, expense report, receipt, tax form, bank account, credit
    card, loan, mortgage, insurance policy, claim, vehicle, parking permit, repair job, appointment, prescription, lab test,
    patient record, vaccination, room, desk, meeting room, printer, server, database, backup, deployment, branch, pull
    request, build, release, test run, bug report, feature flag, API key, user account, role, permission, team, channel,
    poll, vote, petition, donation, volunteer shift, event, ticket, seat, concert, flight, train ticket, boat trip, hotel
    booking, rental, apartment, listing, lease, garden plot, plant, sensor, camera, alarm, door lock, light, thermostat,
    irrigation zone, robot, drone, battery, machine, spare part, supplier, warehouse, pallet, container, delivery route,
    parcel, label, barcode, price tag, product page, review, rating, wish list, auction, bid, job offer, application,
    interview, candidate, payslip, vacation request, sick note, timesheet, shift, badge, visitor, key card, locker, map,
    layer, dataset, chart, dashboard, report, forecast, metric, alert, incident, log entry/log entries, certificate, domain,
    mailbox, filter, rule, template, signature, form, field, page, menu, banner, ad, audience, lead, deal, quote, pipeline""")

_VERBS: Final[dict[str, tuple[str, str, str, str, Outcome]]] = {
    # verb: in tool names, spoken, the object (n one, s several), slots, what comes of it
    "create": ("create|add|new|make", "create|add|make|set up", "a {n}|a new {n}", "title due? priority? person? tags?", "made"),
    "delete": ("delete|remove|drop", "delete|remove|get rid of", "the {n}|{n}", "id", "gone"),
    "get": ("get|read|fetch|show", "show me|get|open|pull up", "the {n}|{n}", "id", "facts"),
    "list": ("list|get_all|show", "list|show me|give me", "the {s}|all {s}|my {s}", "status? count? sort?", "found"),
    "search": ("search|find|look_for", "search|find|look for", "{s}|the {s}", "query count? sort?", "found"),
    "rename": ("rename", "rename|change the name of", "the {n}|{n}", "id title", "changed"),
    "set_status": ("update|set_status_of|mark", "update|mark|change", "the {n}|{n}", "id status", "changed"),
    "cancel": ("cancel|stop|abort", "cancel|call off|stop", "the {n}|my {n}|{n}", "id message?", "changed"),
    "approve": ("approve|accept|confirm", "approve|accept|confirm", "the {n}|{n}", "id message?", "changed"),
    "assign": ("assign|hand_over", "assign|hand over", "the {n}|{n}", "id to_person", "changed"),
    "share": ("share", "share", "the {n}|{n}", "id emails", "sent"),
    "export": ("export|download|dump", "export|download", "the {s}|all {s}|my {s}", "format period?", "made"),
    "schedule": ("schedule|plan|book", "schedule|plan|book", "a {n}|the {n}", "date time? minutes?", "made"),
    "move": ("move|relocate", "move|transfer", "the {n}|{n}", "id department", "changed"),
    "tag": ("tag|label", "tag|label", "the {n}|{n}", "id tags", "changed"),
    "count": ("count|number_of", "count|tell me the number of", "the {s}|all {s}", "status?", "number"),
    "copy": ("copy|duplicate|clone", "copy|duplicate|clone", "the {n}|{n}", "id title?", "made"),
    "price": ("price|estimate", "price|estimate the cost of", "the {n}|a {n}", "size guests?", "number"),
    "register": ("register|enroll|sign_up", "register|enroll", "a {n}|a new {n}", "contact date?", "made"),
    "locate": ("locate|track|trace", "locate|track|find out where to find", "the {n}|{n}", "number_id", "facts"),
}  # fmt: skip

_TAUGHT_VERBS: Final[dict[str, tuple[str, str, str, str, Outcome]]] = {
    "lock": ("lock|protect", "lock|protect", "the {n}|{n}", "id", "changed"),
    "restore": ("restore|bring_back|recover", "restore|bring back|recover", "the {n}|{n}", "id date?", "changed"),
    "remind": ("remind_about|nudge", "remind people of|nudge people about", "the {n}|{n}", "id people", "sent"),
    "comment": ("comment_on|annotate", "comment on|annotate", "the {n}|{n}", "id message", "changed"),
    "print": ("print", "print|print out", "the {n}|{n}", "id count? color?", "made"),
    "check": ("check|validate|verify", "check|validate", "the {n}|{n}", "id", "facts"),
    "replace": ("replace|swap", "replace|swap out", "the {n}|{n}", "id product", "changed"),
    "merge": ("merge|combine", "merge|combine", "the {s}|our {s}", "title", "made"),
    "rate": ("rate|score", "rate|give a score to", "the {n}|{n}", "id percent", "changed"),
    "postpone": ("postpone|delay|push_back", "postpone|delay|push back", "the {n}|{n}", "id date", "changed"),
    "translate": ("translate|localize", "translate|localize", "the {n}|{n}", "id language", "made"),
    "refresh": ("refresh|sync|reload", "refresh|sync|reload", "the {s}|all {s}", "flag?", "changed"),
    "summarize": ("summarize|recap", "summarize|recap|sum up", "the {n}|{n}", "id language?", "text"),
    "pay": ("pay|settle", "pay|settle", "the {n}|{n}", "number_id amount", "changed"),
    "forward": ("forward|send_on", "forward|pass on", "the {n}|{n}", "id email", "sent"),
    "link": ("link|connect", "link|connect", "the {n}|{n}", "id url", "changed"),
    "enable": ("enable|activate|turn_on", "enable|activate|turn on", "the {n}|{n}", "title", "changed"),
    "disable": ("disable|deactivate|turn_off", "disable|deactivate|turn off", "the {n}|{n}", "number_id", "changed"),
    "sort": ("sort|arrange", "sort|arrange", "the {s}|all {s}", "sort count?", "found"),
    "budget": ("limit|cap", "limit|cap the cost of", "the {n}|{n}", "id amount", "changed"),
}  # fmt: skip
"""Never in a held-out case."""

_HELD_VERBS: Final[dict[str, tuple[str, str, str, str, Outcome]]] = {
    "archive": ("archive|store_away", "archive|put away", "the {n}|{n}", "id flag?", "changed"),
    "inspect": ("inspect|examine", "inspect|examine|look into", "the {n}|{n}", "number_id", "facts"),
    "pause": ("pause|suspend", "pause|suspend|put on hold", "the {n}|{n}", "id minutes?", "changed"),
    "announce": ("announce|publish", "announce|publish", "the {n}|a {n}", "message channel?", "sent"),
    "compare": ("compare", "compare", "the {s}|our {s}", "period sort?", "facts"),
    "order": ("order|request", "order|request", "a {n}|a new {n}", "color size?", "made"),
}

_TAUGHT: Final = {**_VERBS, **_TAUGHT_VERBS}

_FACTS: Final = (
    "status", "owner", "total", "created", "updated", "priority", "location", "score", "version", "category", "progress",
)  # fmt: skip


def made(rng: random.Random, split: Split, noun: tuple[str, str] | None = None) -> Action:
    """An action of a verb and a noun. Held-out ones have a held-out noun, and mostly a held-out verb."""
    one, many = noun or draw_noun(rng, split)
    verbs = _TAUGHT if split == "train" else _VERBS if rng.random() < 0.4 else _HELD_VERBS
    tool_verbs, spoken, objects, slots, outcome = verbs[rng.choice(list(verbs))]
    plural = "{s}" in objects
    told = spoken.split("|")[0]
    what = f"the {many}" if plural else _article(f"a {one}")
    about = rng.choice(
        [
            f"{told.capitalize().replace(' me', '')} {what}.",
            f"Use this to {told.replace(' me', '')} {what}.",
            f"{tool_verbs.split('|')[0].replace('_', ' ').capitalize()} {what} of the user.",
        ]
    )
    chosen = [slot for slot in slots.split() if not slot.endswith("?") or rng.random() < 0.6]
    return Action(
        "do",
        cut(tool_verbs),
        cut(spoken),
        (many if plural else one).replace(" ", "_").lower(),
        cut(_article(objects.replace("{n}", one)).replace("{s}", many)),
        tuple(chosen),
        (about,),
        outcome,
        tuple(rng.sample(_FACTS, 2)),
    )


def _article(text: str) -> str:
    return re.sub(r"\ba (?=[aeio])", "an ", text)


def draw_noun(rng: random.Random, split: Split) -> tuple[str, str]:
    """A noun and its plural."""
    known = dict(NOUNS)
    one = rng.choice(part(tuple(known), split))
    return one, known[one]
