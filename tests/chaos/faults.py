"""The faults: what can break, drawn from a seed, and how each is done and undone."""

import asyncio
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from anju.local.city import SERVICES
from tests.chaos.city import MOST_COPIES, ChaosCity

SIDES = [f"{service}-{side}" for service in SERVICES for side in ("web", "worker")]
PARTS = ["kafka", "postgres"]
PROCESSES = [*SIDES, *PARTS]
# What is written to is broken more often than what is only read.
LIKELY = [*SIDES, *PARTS, *PARTS, *PARTS, "registration-web", "registration-worker", "alerts-worker", "alerts-worker"]
CUT_OFF = ["kafka", "kafka", "postgres", "postgres", *(f"{service}-web" for service in SERVICES)]
# kind: how often, of a hundred.
KINDS = {
    "kill": 26, "stop": 14, "restart": 10, "backend": 4, "copy": 14, "cut": 12, "slow": 6, "silent": 6, "clock": 4,
    "full": 4,
}  # fmt: skip
# Kafka ends a member's session after 6 s; a longer stop makes its partitions another's.
LONG_STOP_SECONDS = (7.0, 11.0)
# At one moment so many things are broken, at most.
AT_ONCE = 3
# The machine's clock jumps by less than the tolerance of 5 minutes; a copy's by days.
CITY_JUMP_SECONDS = 200
COPY_JUMPS_SECONDS = (-86_400 * 3, -3_600, 3_600, 86_400 * 2)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what breaks, when after the one before, for how long, and how hard."""

    kind: str
    target: str
    wait_seconds: float
    seconds: float
    amount: float = 0.0

    @property
    def name(self) -> str:
        """Kind and target, for the report."""
        return f"{self.kind} {self.target}"


def draw(count: int, seed: int, seconds: float, kinds: Sequence[str] = tuple(KINDS)) -> list[Fault]:
    """Draw faults for a run of about that long; the same seed, the same faults."""
    dice = random.Random(f"{seed}/faults")
    weights = [KINDS[kind] for kind in kinds]
    pause = seconds / count if count else 0.0
    return [_fault(dice, dice.choices(kinds, weights)[0], pause) for _ in range(count)]


def _fault(dice: random.Random, kind: str, pause: float) -> Fault:
    target, seconds, amount = dice.choice(LIKELY), dice.uniform(0.5, 3.0), 0.0
    match kind:
        case "stop":
            seconds = dice.uniform(*LONG_STOP_SECONDS) if dice.random() < 0.5 else seconds
        case "backend":
            target = "postgres"
        case "copy":
            target, seconds = dice.choice([*SIDES, "alerts-worker", "registration-worker"]), dice.uniform(6.0, 20.0)
            amount = dice.choice(COPY_JUMPS_SECONDS) if dice.random() < 0.25 else 0.0
        case "cut":
            target, amount = dice.choice(CUT_OFF), float(dice.randrange(1, 5))
        case "slow":
            target, seconds, amount = dice.choice(CUT_OFF), dice.uniform(3.0, 8.0), dice.uniform(0.05, 0.4)
        case "silent":
            target, seconds = dice.choice(CUT_OFF), dice.uniform(2.0, 12.0)
        case "clock":
            target, seconds = "services", dice.uniform(4.0, 12.0)
            amount = dice.choice((-1, 1)) * dice.uniform(20, CITY_JUMP_SECONDS)
        case "full":
            target, seconds = dice.choice(PARTS), dice.uniform(2.0, 8.0)
    return Fault(kind, target, dice.uniform(0.4, 1.6) * pause, seconds, amount)


@dataclass(slots=True)
class Faults:
    """Does a plan's faults to a city, some at once, never two to the same thing."""

    city: ChaosCity
    plan: Sequence[Fault]
    say: Callable[[str], None]
    done: list[Fault] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Do them all, and return when the last one is undone."""
        running: set[asyncio.Task[None]] = set()
        for number, fault in enumerate(self.plan, start=1):
            await asyncio.sleep(fault.wait_seconds)
            while len(running) >= AT_ONCE or fault.target in self._busy:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            self.say(f"{number:>4} {fault.name} for {fault.seconds:.1f} s ({fault.amount:.2f})")
            self._busy.add(fault.target)
            task = asyncio.create_task(self._do(fault))
            running.add(task)
        for task in running:
            await task
        for copy in list(self.city.copies):
            self._end_copy(copy.name, signal.SIGKILL)

    async def _do(self, fault: Fault) -> None:
        doing = getattr(self, f"_{fault.kind}")
        try:
            if await doing(fault):
                self.done.append(fault)
        finally:
            self._busy.discard(fault.target)

    async def _kill(self, fault: Fault) -> bool:
        return await self._signal(fault, signal.SIGKILL)

    async def _restart(self, fault: Fault) -> bool:
        return await self._signal(fault, signal.SIGINT if fault.target == "postgres" else signal.SIGTERM)

    async def _signal(self, fault: Fault, number: int) -> bool:
        """A process that is just starting again after another fault is waited for: a fault must hit something."""
        async with asyncio.timeout(60):
            while not self.city.send(fault.target, number):
                await asyncio.sleep(0.2)
        return True

    async def _stop(self, fault: Fault) -> bool:
        pids = self.city.send(fault.target, signal.SIGSTOP, family=True)
        await asyncio.sleep(fault.seconds)
        for pid in pids:
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                psutil.Process(pid).send_signal(signal.SIGCONT)
        return bool(pids)

    async def _backend(self, fault: Fault) -> bool:
        """Kill a process that serves one connection: the server ends all others and recovers."""
        pid = self.city.pid(fault.target)
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(pid).children() if pid else []
            serving = [child for child in children if "127.0.0.1" in " ".join(child.cmdline())]
            if serving:
                serving[0].kill()
                return True
        return False

    async def _copy(self, fault: Fault) -> bool:
        """Another copy joins, works for a while, and is killed or asked to go."""
        if len(self.city.copies) >= MOST_COPIES:
            return False
        service, side = fault.target.rsplit("-", 1)
        copy = self.city.start_copy(service, side, fault.amount)
        if side == "web" and not fault.amount:
            self.city.addresses[service].append(copy.address)
        await asyncio.sleep(fault.seconds)
        if copy.address in self.city.addresses[service]:
            self.city.addresses[service].remove(copy.address)
        return self._end_copy(copy.name, signal.SIGKILL if fault.seconds < 14 else signal.SIGTERM)

    def _end_copy(self, name: str, number: int) -> bool:
        for copy in [copy for copy in self.city.copies if copy.name == name]:
            self.city.end_copy(copy, number)
        return True

    async def _cut(self, fault: Fault) -> bool:
        """Cut every connection, a few times within a second."""
        cut = 0
        for _ in range(int(fault.amount)):
            cut += self.city.proxies[fault.target].cut()
            await asyncio.sleep(fault.seconds / 4)
        return True

    async def _slow(self, fault: Fault) -> bool:
        proxy = self.city.proxies[fault.target]
        proxy.delay_seconds = fault.amount
        await asyncio.sleep(fault.seconds)
        proxy.delay_seconds = 0.0
        return True

    async def _silent(self, fault: Fault) -> bool:
        proxy = self.city.proxies[fault.target]
        proxy.fall_silent()
        await asyncio.sleep(fault.seconds)
        proxy.speak()
        if fault.seconds > 8:
            proxy.cut()
        return True

    async def _clock(self, fault: Fault) -> bool:
        if self.city.clock is None:
            self.left_out["clock"] = self.city.why_no_clock
            return False
        self.city.clock.jump(fault.amount)
        await asyncio.sleep(fault.seconds)
        self.city.clock.jump(0)
        return True

    async def _full(self, fault: Fault) -> bool:
        disk = self.city.disks.get(fault.target)
        if disk is None:
            self.left_out["full"] = f"no small disk can be mounted: {self.city.why_no_disks}"
            return False
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(fault.seconds)
        disk.free()
        return True
