"""An explanation as one page of HTML that needs nothing else."""

from html import escape
from typing import TYPE_CHECKING, Final

from antiphon.cli.explained import source, told, visible

if TYPE_CHECKING:
    from antiphon.service.explainer import Explained
    from antiphon.service.explaining import Explanation

_STYLE: Final = """
:root { color-scheme: light dark; --edge: light-dark(#ccc, #444); --quiet: light-dark(#666, #999); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--edge); padding: 1rem; }
pre.prompt { line-height: 1.9; }
pre span { border-radius: 3px; }
.control { background: light-dark(#eadcf8, #4a2f66); padding: 1px 4px; font-weight: 600; }
.template { color: var(--quiet); }
.block0 { background: light-dark(#dcecfb, #1d3a55); } .block1 { background: light-dark(#dff3df, #1f4426); }
.picture { background: light-dark(#fbecd0, #57411a); padding: 1px 4px; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
"""


def page(explained: "Explained") -> str:
    """The page. Nothing in a request can become markup of it, and it loads nothing."""
    found = explained.explanation
    title = "A request that is refused" if found is None else f"A request to {found.model}"
    lines = "".join(f"<li>{escape(line)}</li>" for line in told(explained))
    body = "" if found is None else _prompt(found)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<style>{_STYLE}</style>\n<h1>{escape(title)}</h1>\n<ul>{lines}</ul>\n{body}</html>\n"
    )


def _counted(tokens: int) -> str:
    return "1 token" if tokens == 1 else f"{tokens} tokens"


def _prompt(found: "Explanation") -> str:
    rows = "".join(
        f'<tr><td class="n">{tokens}</td><td>{escape(path or "template and control tokens")}</td></tr>'
        for path, tokens in found.by_block.items()
    )
    blocks = {path: number for number, path in enumerate(path for path in found.by_block if path)}
    spans = "".join(
        f'<span class="{f"block{blocks[each.path] % 2}" if each.kind == "block" else each.kind}"'
        f' title="{escape(source(each))}: {_counted(each.tokens)}">{escape(visible(each.text))}</span>'
        + ("\n" if each.text.endswith("\n") else "")
        for each in found.stretches
    )
    grammar = "" if found.grammar is None else f"<h2>Grammar</h2>\n<pre>{escape(found.grammar)}</pre>\n"
    return (
        f"<h2>Tokens</h2>\n<table><tr><th>tokens</th><th>from</th></tr>{rows}</table>\n"
        f'<h2>The prompt, as the model reads it</h2>\n<pre class="prompt">{spans}</pre>\n{grammar}'
    )
