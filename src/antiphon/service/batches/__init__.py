"""Batches of requests: taken whole, run beside what somebody waits for, kept until their results are fetched.

taking    from a body that streams in to a batch; what clients ask of batches
policy    what is done when: how many requests run, whose is next; no clock, no store
rows      one request, on the road of every request, to its line of the results
runner    the work itself: takes requests from the store, runs them, keeps what they come to"""
