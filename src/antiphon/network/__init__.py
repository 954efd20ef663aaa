"""The way out to other hosts, under guard.

addresses   what an IP address is good for
guard       where the server may go: URLs, redirects and DNS answers, judged without touching the network
resolver    from names to addresses
pinned      one request, over a connection that goes to checked addresses and nowhere else
body        a response's body in bounded memory
robots      what hosts ask robots not to read
fetch       all of it together: the `Fetcher` of `ports`
"""

from antiphon.network.fetch import FetchLimits, GuardedFetcher

__all__ = ["FetchLimits", "GuardedFetcher"]
