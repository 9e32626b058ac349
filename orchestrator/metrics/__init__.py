"""Decides how counters and times reach other systems: StatsD, Prometheus, OpenTelemetry."""
