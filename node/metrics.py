"""What Prometheus is told: one registry per node, nothing global."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from node.network.counters import Counters

_LATENCY_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_FSYNC_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)


_NETWORK = (
    ("frames_in", "Frames received on direct streams"),
    ("frames_out", "Frames sent on direct streams"),
    ("bytes_in", "Payload bytes of frames received"),
    ("bytes_out", "Payload bytes of frames sent"),
    ("dropped", "Frames dropped because a peer's queue was full or its link down"),
    ("requests_in", "Requests served"),
    ("requests_out", "Requests sent"),
    ("chunks_in", "Chunks of transactions received"),
    ("chunks_out", "Chunks of transactions published"),
    ("refused", "Connections refused"),
    ("dials", "Connections tried"),
    ("dial_failures", "Connections that failed"),
)


class _NetworkCollector(Collector):
    """The network's plain counters, read when somebody asks."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Every counter by name, and the faults of peers by reason."""
        for name, text in _NETWORK:
            value = getattr(self._counters, name)
            yield CounterMetricFamily(f"kilochain_network_{name}", text, value=value)
        faults = CounterMetricFamily(
            "kilochain_network_faults", "Faults of peers by reason", labels=["reason"]
        )
        for reason, count in sorted(self._counters.faults.items()):
            faults.add_metric([reason], count)
        yield faults


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
        self.pool_bytes = Gauge("kilochain_pool_bytes", "Pooled signed bytes", registry=own)
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

    def add_network(self, counters: Counters) -> None:
        """Show the network's counters too."""
        self.registry.register(_NetworkCollector(counters))

    def render(self) -> bytes:
        """The text that GET /metrics answers."""
        return generate_latest(self.registry)
