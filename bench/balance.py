"""Compare settings of the web server on the ticket page: `python -m bench 10000 --server gthread:2x8,sync:4`."""

from collections.abc import Sequence
from contextlib import ExitStack

from bench import machine
from bench.database import Watch
from bench.load import Samples, Target, merged
from bench.pages import Page
from bench.server import Server, options_of

CLIENTS, COUNT, SECONDS = 8, 160, 10.0


def compare(
    names: Sequence[str],
    env: dict[str, str],
    page: Page,
    sessions: dict[str, str],
    *,
    rounds: int,
    noise: float,
) -> list[str]:
    """Measure each server with kept and with new connections, in turns. Returns the lines of a table."""
    found: dict[tuple[str, bool], list[Samples]] = {}
    shares: dict[tuple[str, bool], list[float]] = {}
    with ExitStack() as stack:
        watch = stack.enter_context(Watch(env["DATABASE_URL"]))
        targets = {
            name: Target(stack.enter_context(Server(env, options_of(name))), watch, sessions)
            for name in names
        }
        for _round in range(rounds):
            for name, target in targets.items():
                for is_fresh in (False, True):
                    before = [machine.used(worker) for worker in target.server.workers()]
                    samples = target.measure(
                        page, clients=CLIENTS, count=COUNT, seconds=SECONDS, is_fresh=is_fresh
                    )
                    after = [machine.used(worker) for worker in target.server.workers()]
                    used = [late - early for early, late in zip(before, after, strict=True)]
                    found.setdefault((name, is_fresh), []).append(samples)
                    shares.setdefault((name, is_fresh), []).append(max(used) / (sum(used) or 1))
    return table({key: merged(rounds_of, noise) for key, rounds_of in found.items()}, shares, noise=noise)


def table(
    found: dict[tuple[str, bool], Samples], shares: dict[tuple[str, bool], list[float]], *, noise: float
) -> list[str]:
    lines = [
        (
            f"{'server':<16}{'connections':<13}{'req/s':>7}{'p50 ms':>8}{'p99 ms':>8}{'app ms':>8}"
            f"{'busiest worker, each round':>32}{'others':>9}"
        ),
        "-" * 102,
    ]
    for (name, is_fresh), samples in found.items():
        busiest = ", ".join(f"{share:.0%}" for share in shares[name, is_fresh])
        lines.append(
            f"{name:<16}{'new' if is_fresh else 'kept':<13}{samples.per_second:>7.0f}{samples.p50:>8.1f}"
            f"{samples.p99:>8.1f}{samples.app_ms:>8.1f}{busiest:>32}{samples.foreign * 100:>7.0f} %"
            f"{'~' if samples.foreign > noise else ''}"
        )
    return lines
