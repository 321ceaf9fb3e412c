"""The metrics that this system promises, under the names of its interfaces. None has a label that tells of a person."""

from prometheus_client import Counter, Gauge, Histogram

# Seconds. Fine where the promises are: 60 ms from answer to stream, one second to the screen.
_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

HTTP_REQUEST_SECONDS = Histogram(
    "anju_http_request_seconds",
    "From a request's head to its answer's head.",
    ["method", "route", "status"],
    buckets=_LATENCY,
)

OUTBOX_UNSENT = Gauge("anju_outbox_unsent", "Rows of the outbox that Kafka has not acknowledged.")
OUTBOX_OLDEST_SECONDS = Gauge("anju_outbox_oldest_seconds", "Age of the oldest of them.")
RELAY_SENT = Counter("anju_relay_sent_total", "Records that Kafka acknowledged.", ["topic"])
RELAY_RESENT = Counter("anju_relay_resent_total", "Records sent again after a failure.", ["topic"])
RELAY_REFUSES = Gauge("anju_relay_refuses", "1 while Kafka is ahead of a database that was restored.")
RELAY_LOST = Gauge("anju_relay_lost", "Records that Kafka had and that stand nowhere any more.", ["topic"])
STATES_MENDED = Counter("anju_states_mended_total", "Keys of a state that its topic had wrong.", ["topic"])

CONSUMER_LAG = Gauge("anju_consumer_lag", "Records behind the end of the log.", ["group", "topic", "partition"])
CONSUMER_GAP_SECONDS = Gauge(
    "anju_consumer_gap_seconds", "For how long a sequence number has been missing; 0 is none.", ["topic", "partition"]
)
CONSUMER_REPEATS = Counter("anju_consumer_repeats_total", "Records that came again and were dropped.", ["topic"])
CONSUMER_BATCH_SECONDS = Histogram(
    "anju_consumer_batch_seconds", "One batch, from poll to commit.", ["topic"], buckets=_LATENCY
)
DEAD_LETTERS = Gauge("anju_dead_letters", "Records put aside and not yet mended.", ["topic"])

MATCH_EVENTS = Counter("anju_match_events_total", "Events looked at by the matcher, whatever came of it.")
ALERT_COMMIT_TO_STREAM_SECONDS = Histogram(
    "anju_alert_commit_to_stream_seconds", "From an alert's commit to its stream event.", buckets=_LATENCY
)
STREAM_CLIENTS = Gauge("anju_stream_clients", "Open event streams.")
NOTICE_WITHDRAWAL_SECONDS = Histogram(
    "anju_notice_withdrawal_seconds", "From a withdrawal's commit to the matcher without it.", buckets=_LATENCY
)
