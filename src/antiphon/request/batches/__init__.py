"""A batch of requests as it comes: cut out of the body while that arrives, judged, grouped by what they share."""
