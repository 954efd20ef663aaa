"""Domain rules as words of a query: `site:` and `-site:`, which most search engines know."""

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.domains import Domain, DomainRules


def with_operators(text: str, rules: DomainRules, longest: int) -> str:
    """The query with operators behind it, in so many characters.

    Blocked domains that do not fit are left to whoever judges the results. Allowed ones must all fit: a search
    without them would find other pages. `ToolProblem` request_too_large then.
    """
    if rules.allowed:
        sites = " OR ".join(f"site:{_place(domain)}" for domain in rules.allowed)
        query = f"{text} ({sites})" if len(rules.allowed) > 1 else f"{text} {sites}"
        if len(query) > longest:
            raise ToolProblem("request_too_large", f"{len(rules.allowed)} allowed domains do not fit into a query")
        return query
    for domain in rules.blocked:
        if len(longer := f"{text} -site:{domain.host}") > longest:
            break
        # A path would have to be excluded exactly, and not every engine does that.
        text = text if domain.path else longer
    return text


def _place(domain: Domain) -> str:
    return domain.host + domain.path.partition("*")[0].rstrip("/")
