# SPDX-License-Identifier: MIT
"""Jobs about several servers: what asking three of them costs when only the last has the file."""
import statistics

from . import tools

KIB, MIB = 1 << 10, 1 << 20
TRIES = 15
PLACES = ("none/one", "none/two", "all")


def three(origin, **more):
    """Servers as many milliseconds away as a name says, of which the last alone has the file."""
    return [{"identifier": place, "remote": f"http://127.0.0.1:{origin.port}/{place}/symbols", "forms": ["plain"]} | more
            for place in PLACES]


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


def waits_ms(stage, delay_ms):
    """What the client waits that asks the three itself, one after the other: the sum of the medians."""
    path = tools.symbol(f"bz{64 * KIB}d{delay_ms}n0.pdb")
    total = 0
    for place in PLACES:
        clients = [stage.load.herd(stage.origin.port, [f"/{place}{path}"]).result().clients[0] for _ in range(TRIES)]
        total += statistics.median(client.first_ms if client.whole else client.head_ms for client in clients)
    return total


def in_order(stage, report):
    delay_ms = 50
    direct = waits_ms(stage, delay_ms)
    with stage.symgate(servers=three(stage.origin, hedgeAfter=None)) as server:
        waited = first_bytes_ms(stage, server, delay_ms)
    report.add(f"three servers in order, {delay_ms} ms away: added to the sum of their waits",
               statistics.median(waited) - direct, at_most=2, unit=" ms",
               peers=f"median of {TRIES}, longest {waited[-1] - direct:.1f} ms; asked one by one {direct:.1f} ms")


def ranges(stage, report):
    """A server that gives each connection 32 MB/s: one client, one long file, and the same file straight from the server."""
    rate, size = 32 * MIB, 256 * MIB
    times = {"direct": [], "symgate": []}
    with stage.symgate(servers=[{"identifier": "slow", "remote": f"http://127.0.0.1:{stage.origin.port}/symbols", "forms": ["plain"]}]) as server:
        for number in range(1 if stage.quick else 3):
            path = tools.symbol(tools.file_name(f"{number}5", size, rate=rate))
            for name, port in (("direct", stage.origin.port), ("symgate", server.port)):
                client = stage.load.herd(port, [path], copy=True).result().clients[0]
                if not client.whole:
                    raise tools.ToolFailed(f"{path} did not come whole from {name} (status {client.status})")
                times[name].append(client.end_ms / 1000)
    direct, ours = (statistics.median(times[name]) for name in ("direct", "symgate"))
    report.add("cold 256 MB from a server that gives each connection 32 MB/s: speed of a direct download", direct / ours,
               at_least=1.5, unit="×", peers=f"direct {direct:.1f} s · symgate {ours:.1f} s, parallel ranges")


JOBS = {"together": together, "in-order": in_order, "ranges": ranges}
