"""The tools that run inside the server: concrete `ports.server_tools.ServerTool`s.

offered      settings → the tools that are offered; what `antiphon doctor` finds out about them
own          an owner's own tools, found by their entry points
web_search   the tool that searches, over one of the providers in `search`
web_fetch    the tool that fetches a page, over the guarded fetcher
domains      which pages a request's definition of a tool allows
urls         what is one and the same URL
contents     what a fetched file is, and its text
page_cache   pages that were fetched a moment ago
plain        texts of others, made harmless
"""
