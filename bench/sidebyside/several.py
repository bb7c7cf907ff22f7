# SPDX-License-Identifier: MIT
"""Jobs about several servers: what asking three of them costs when only the last has the file."""
import statistics

from . import tools

KIB = 1 << 10
TRIES = 15


def three(origin, **more):
    """Servers as many milliseconds away as a name says, of which the last alone has the file."""
    places = ("none/one", "none/two", "all")
    return [{"identifier": place, "remote": f"http://127.0.0.1:{origin.port}/{place}/symbols", "forms": ["plain"]} | more
            for place in places]


def first_bytes_ms(stage, server, delay_ms):
    """How long after the asking the first byte of a cold symbol came, sorted."""
    waited = []
    for number in range(TRIES):
        path = tools.symbol(f"bz{64 * KIB}d{delay_ms}n{number}.pdb")
        client = stage.load.herd(server.port, [path]).result().clients[0]
        if not client.whole:
            raise tools.ToolFailed(f"{path} did not come whole (status {client.status})")
        waited.append(client.first_ms)
    return sorted(waited)


def together(stage, report):
    for delay_ms, limit_ms in ((50, 65), (200, 220)):
        with stage.symgate(servers=three(stage.origin, priority=1)) as server:
            waited = first_bytes_ms(stage, server, delay_ms)
        report.add(f"three servers of one priority, {delay_ms} ms away, the last has it: first byte", statistics.median(waited),
                   at_most=limit_ms, unit=" ms", digits=1, peers=f"median of {TRIES}, longest {waited[-1]:.1f} ms")


def in_order(stage, report):
    delay_ms = 50
    with stage.symgate(servers=three(stage.origin, hedgeAfter=None)) as server:
        waited = first_bytes_ms(stage, server, delay_ms)
    report.add(f"three servers in order, {delay_ms} ms away: added to the sum of their waits",
               statistics.median(waited) - 3 * delay_ms, at_most=2, unit=" ms",
               peers=f"median of {TRIES}, longest {waited[-1] - 3 * delay_ms:.1f} ms")


JOBS = {"together": together, "in-order": in_order}
