"""Who can search the web. One module a provider; `port` is what they have in common.

port        what a provider is asked, and what it answers
json_api    one bounded request to an interface that speaks JSON
operators   domain rules as words of a query
page_age    dates as the API writes them
searxng, brave, tavily   the providers
wikipedia   the one without a key; `pace` keeps it polite, `languages` says which one is asked
local       an index of files on this machine; `ranking` orders what it finds
"""
