"""A run for people and for machines: lines, JSON, JUnit's XML, and one page that needs nothing else."""

import json
from collections.abc import Iterator
from html import escape
from typing import Final
from xml.etree import ElementTree as Xml

from antiphon.conformance.running import Outcome, Report

MARKS: Final = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}
_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1b1b1b;
background:#fff}table{border-collapse:collapse;width:100%;margin:0 0 2rem}
td,th{text-align:left;padding:.3rem .6rem;vertical-align:top;
border-bottom:1px solid #ddd}code{font-size:.85em}.failed{background:#fdecea}.skipped{color:#666}small{color:#555}
td:first-child{white-space:nowrap;font-weight:600}
@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#161616}td,th{border-color:#333}.failed{background:#43201c}
small,.skipped{color:#aaa}}
"""


def line(outcome: Outcome) -> str:
    """One check, as a terminal shows it."""
    words = f"\n         {outcome.words}" if outcome.words and outcome.verdict == "failed" else ""
    return f"{MARKS[outcome.verdict]:>4}  {outcome.check.id}: {outcome.check.sentence}{words}"


def summary(report: Report) -> str:
    """The run in a few lines: how many, and what was skipped for which reason."""
    lines = [
        f"{report.count('passed')} passed, {report.count('failed')} failed, {report.count('skipped')} skipped "
        f"of {len(report.outcomes)} checks in {report.seconds:.1f} s: {report.model} at {report.url}"
    ]
    reasons: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        if outcome.verdict == "skipped":
            reasons.setdefault(outcome.words, []).append(outcome.check.id)
    lines += [f"Skipped ({len(ids)}, {ids[0]} …): {reason}" for reason, ids in reasons.items()]
    return "\n".join(lines)


def as_json(report: Report) -> str:
    """The run as JSON."""
    checks = [
        {
            "id": outcome.check.id,
            "sentence": outcome.check.sentence,
            "source": outcome.check.source,
            "verdict": outcome.verdict,
            "words": outcome.words,
            "seconds": round(outcome.seconds, 3),
        }
        for outcome in report.outcomes
    ]
    counts = {name: sum(check["verdict"] == name for check in checks) for name in MARKS}
    whole = {
        "url": report.url,
        "model": report.model,
        "seconds": round(report.seconds, 3),
        **counts,
        "checks": checks,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def as_junit(report: Report) -> str:
    """The run as the XML that CI servers read."""
    counts = {"tests": len(report.outcomes), "failures": report.count("failed"), "skipped": report.count("skipped")}
    suite = Xml.Element("testsuite", name="antiphon conformance", time=f"{report.seconds:.3f}")
    suite.attrib.update({name: str(count) for name, count in counts.items()})
    for outcome in report.outcomes:
        case = Xml.SubElement(
            suite, "testcase", classname=outcome.check.subject, name=outcome.check.id, time=f"{outcome.seconds:.3f}"
        )
        if outcome.verdict == "failed":
            text = f"{outcome.check.sentence}\n{outcome.words}\n{outcome.check.source}"
            Xml.SubElement(case, "failure", message=_printable(outcome.words)).text = _printable(text)
        elif outcome.verdict == "skipped":
            Xml.SubElement(case, "skipped", message=_printable(outcome.words))
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suite, encoding="unicode") + "\n"


def as_html(report: Report) -> str:
    """The run as a page that needs nothing else."""
    title = f"Conformance of {escape(report.model)} at {escape(report.url)}"
    counts = ", ".join(f"{report.count(name)} {name}" for name in ("passed", "failed", "skipped"))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return (
        f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{counts} of {len(report.outcomes)} checks in {report.seconds:.1f} s.</p>{''.join(_tables(report))}"
        "</body></html>\n"
    )


def _tables(report: Report) -> Iterator[str]:
    subjects = dict.fromkeys(outcome.check.subject for outcome in report.outcomes)
    for subject in subjects:
        yield f"<h2>{escape(subject.replace('_', ' '))}</h2><table>"
        for outcome in report.outcomes:
            if outcome.check.subject == subject:
                words = f"<br><code>{escape(outcome.words)}</code>" if outcome.words else ""
                place = f"{escape(outcome.check.id)} · {escape(outcome.check.source)}"
                cell = f"{escape(outcome.check.sentence)}{words}<br><small>{place}</small>"
                yield f'<tr class="{outcome.verdict}"><td>{outcome.verdict}</td><td>{cell}</td></tr>'
        yield "</table>"


def _printable(text: str) -> str:
    """Text that XML can hold."""
    return "".join(sign if sign in "\n\t" or sign.isprintable() else "�" for sign in text)
