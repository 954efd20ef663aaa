"""`antiphon serve --workers N`: one parent, N processes that answer.

The parent owns the listening sockets and the embedded models, gives out their slots, hears signals, and starts a
worker again that dies. A worker is a whole server but for these, and ends with its parent.

    parent     the parent, from start to end
    process    one worker, as the parent sees it
    child      the program of a worker
    channel    what they say to each other
    exchanges  the parent's models, and how all workers go over to others
    following  how one worker does"""
