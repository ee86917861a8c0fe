"""What Prometheus is told: one registry per node, nothing global."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_LATENCY_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_FSYNC_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)


class Metrics:
    """The node's gauges, counters and histograms; times in seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.height = Gauge("kilochain_height", "Newest applied block", registry=own)
        self.view = Gauge("kilochain_view", "Present view", registry=own)
        self.changing = Gauge("kilochain_view_changing", "1 while changing view", registry=own)
        self.peers = Gauge("kilochain_peers", "Connected peers", registry=own)
        self.pool = Gauge("kilochain_pool_transactions", "Pooled transactions", registry=own)
        self.commits = Counter("kilochain_transactions_committed", "Committed", registry=own)
        self.refusals = Counter(
            "kilochain_refusals", "Refused transactions", ["code"], registry=own
        )
        self.violations = Counter(
            "kilochain_protocol_violations", "Messages that peers got wrong", registry=own
        )
        self.dropped = Counter(
            "kilochain_dropped_events", "Frames dropped because the inbox was full", registry=own
        )
        self.latency = Histogram(
            "kilochain_commit_seconds", "From pooled to committed", buckets=_LATENCY_S, registry=own
        )
        self.fsync = Histogram(
            "kilochain_journal_fsync_seconds", "Journal fsync", buckets=_FSYNC_S, registry=own
        )
        self.apply = Histogram(
            "kilochain_apply_seconds", "Append of one block", buckets=_LATENCY_S, registry=own
        )

    def render(self) -> bytes:
        """The text that GET /metrics answers."""
        return generate_latest(self.registry)
