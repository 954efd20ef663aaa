"""Tools of other hosts, through the client of the protocol's own package.

connector   what the services are given: listings that are kept for a while, and sessions of replies
session     one session with one server
sifting     what a server lists, before the package judges it
contents    what a call came to, in the API's blocks
"""
