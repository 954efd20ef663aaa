"""Where concrete things meet: settings → weights → engines → services → the listening server.

The only package that names concrete engines, tools and stores. Reads files, starts processes; decides nothing else.

    start      the server from its settings to its end
    assembly   all that one process needs to answer
    workers    the server in several processes
    listening  its sockets, its log
    observer   who watches it start and stop
    edges      clock, dice, seals, network, tools: what the core is given
    stores     its database, its objects
    keys       keys of callers, made and ended
    batches    requests of batches, run beside all others
    engines    an engine for a model of the settings
    remote     the engine of a model that is at URLs
    models     which names are answered by which model
    services   the use cases over all of it
    probes     what `antiphon doctor` asks of a machine"""
