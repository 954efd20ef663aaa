"""OpenTelemetry: requests as spans and measurements, by the conventions for generative AI."""
