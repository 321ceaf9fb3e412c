"""Before a relay sends: what Kafka has lost of a history is sent again, what it has too much stops the relay."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from chassis.data.db import Database
from chassis.events import relay_places
from chassis.events.comparison import is_ahead as state_is_ahead
from chassis.events.kafka import KafkaSettings
from chassis.events.logs import Logs, Place, Span, open_logs
from chassis.events.published import Published
from chassis.events.relay_places import Known, Number
from chassis.events.relay_rows import Acknowledged, RelayRows
from chassis.events.sending import Sending
from chassis.events.standing import KafkaAhead, Look, is_ahead, look_at_histories, standing_before, stands
from chassis.run import metrics

log = structlog.get_logger()

UNKNOWN = Known(0, None, None)


class Mending:
    """Compares the logs of a service's topics with what its relay knows of them."""

    def __init__(
        self, db: Database, kafka: KafkaSettings, service: str, published: Published, sending: Sending, batch: int
    ) -> None:
        self._db = db
        self._kafka = kafka
        self._service = service
        self._published = published
        self._sending = sending
        self._batch = batch
        self.missing_topics: tuple[str, ...] = ()

    async def look(self, rows: RelayRows) -> bool:
        """Look at every log once, and send again what does not stand; say whether a state's log has lost records.

        Raises KafkaAhead, KafkaSilent, SendFailed and Fenced.
        """
        known = await relay_places.known(rows)
        async with open_logs(self._kafka) as logs:
            histories = await self._spans(logs, self._published.histories)
            states = await self._spans(logs, tuple(each.topic for each in self._published.states))
            self._note_missing({place.topic for place in (*histories, *states)})
            marks = {place: its.acknowledged for place, its in known.items() if its.acknowledged is not None}
            looks = await look_at_histories(logs, histories, marks, self._service)
            for place, look in looks.items():
                if is_ahead(look, rows.epoch, known.get(place, UNKNOWN).numbered):
                    raise KafkaAhead(place.topic)
            for state in self._published.states:
                tails = _after_marks(
                    {place: span for place, span in states.items() if place.topic == state.topic}, marks
                )
                if await state_is_ahead(self._db, logs, state, tails):
                    raise KafkaAhead(state.topic)
        for place, look in looks.items():
            await self._mend(rows, place, known.get(place, UNKNOWN), look)
        return await self._states_lost(rows, states, marks)

    async def _spans(self, logs: Logs, topics: tuple[str, ...]) -> dict[Place, Span]:
        return await logs.spans(await logs.places(topics))

    def _note_missing(self, found: set[str]) -> None:
        declared = (*self._published.histories, *(each.topic for each in self._published.states))
        self.missing_topics = tuple(topic for topic in declared if topic not in found)
        if self.missing_topics:
            log.error("relay-topics-missing", topics=self.missing_topics)

    async def _mend(self, rows: RelayRows, place: Place, known: Known, look: Look) -> None:
        mark = known.acknowledged
        if mark is None:
            return
        if not stands(mark, look):
            before = standing_before(mark, look)
            log.error("relay-records-gone", topic=place.topic, partition=place.partition, expected=mark.offset)
            await self._send_again(rows, place, before, mark, look)
        elif known.again is not None:
            await self._send_again(rows, place, known.again, mark, look)

    async def _send_again(self, rows: RelayRows, place: Place, after: Number, mark: Acknowledged, look: Look) -> None:
        """Send what is kept after a number, to the last row that was ever sent; note what is not kept any more."""
        last, count, of_epoch = None, 0, 0
        goes_on = after
        while batch := await relay_places.kept(rows, place, goes_on, self._batch):
            (last,) = await self._sending.send(batch)
            goes_on = (last.epoch, last.sequence)
            count += len(batch)
            of_epoch += sum(row.epoch == mark.epoch for row in batch)
            metrics.RELAY_RESENT.labels(place.topic).inc(len(batch))
        log.warning("relay-sent-again", topic=place.topic, partition=place.partition, count=count)
        if stands(mark, look):
            await relay_places.settle(rows, place, last or mark)
            return
        lost = max(0, mark.sequence - (after[1] if after[0] == mark.epoch else 0) - of_epoch)
        if lost:
            log.error("relay-records-lost", topic=place.topic, partition=place.partition, count=lost)
        await relay_places.settle(rows, place, last or _found(mark, look), lost=lost)

    async def _states_lost(
        self, rows: RelayRows, spans: Mapping[Place, Span], marks: Mapping[Place, Acknowledged]
    ) -> bool:
        """A state's log keeps its last record for ever, so one that is not there was taken by somebody."""
        lost = False
        for place, span in spans.items():
            mark = marks.get(place)
            if mark is not None and not span.start <= mark.offset < span.end:
                log.error("relay-records-gone", topic=place.topic, partition=place.partition, expected=mark.offset)
                await relay_places.settle(rows, place, None)
                lost = True
        return lost


def _found(mark: Acknowledged, look: Look) -> Acknowledged | None:
    """The acknowledged record at the offset where it stands now, if it does."""
    offset = look.last.get((mark.epoch, mark.sequence))
    return None if offset is None else replace(mark, offset=offset)


def _after_marks(spans: Mapping[Place, Span], marks: Mapping[Place, Acknowledged]) -> dict[Place, Span]:
    """What stands after the last acknowledged record: of an outage, or of a database that was since restored."""
    return {
        place: Span(max(span.start, marks[place].offset + 1) if place in marks else span.start, span.end)
        for place, span in spans.items()
    }
