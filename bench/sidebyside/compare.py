# SPDX-License-Identifier: MIT
"""Jobs that compare nginx and symgate in processor time: rounds interleaved, medians, request by request or gigabyte by gigabyte."""
import statistics

from . import tools

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def medians(samples):
    return {name: statistics.median(values) for name, values in samples.items()}


def compare(stage, servers, report, text, target, measure, unit, scale):
    """measure(server) → cost in seconds of processor per unit. Reports nginx ÷ symgate."""
    samples = {}
    for _ in range(stage.rounds):
        for server in servers:
            samples.setdefault(server.name, []).append(measure(server))
    found = medians(samples)
    shown = " · ".join(f"{name} {value * scale:.1f}" for name, value in found.items()) + f" {unit}"
    ratio = found["nginx"] / found["symgate"] if {"nginx", "symgate"} <= found.keys() else None
    report.add(text, ratio, at_least=target, unit="×", peers=shown)


def small(stage, report, text, target, paths, size, status=200, fresh=False):
    """Beside both, the bare loop's cost is shown: what no server can go below."""
    seconds = 1 if stage.quick else 2.5

    def measure(server):
        before = server.cpu_s()
        done = stage.load.hits(server.port, paths=paths, seconds=seconds, fresh=fresh, status=status)
        return (server.cpu_s() - before) / done["requests"]

    for server in stage.servers():
        stage.load.hits(server.port, paths=paths, requests=2 * len(paths), clients=16, status=status)
    with stage.bare(status, size) as bare:
        compare(stage, [*stage.servers(), bare], report, text, target, measure, "µs a request", 1e6)


def large(stage, report, text, target, size, files, gigabytes):
    paths = [tools.symbol(tools.file_name(number, size)) for number in range(files)]
    requests = max(files, int(gigabytes * GIB / size))

    def measure(server):
        before = server.cpu_s()
        done = stage.load.hits(server.port, paths=paths, requests=requests, clients=4)
        return (server.cpu_s() - before) / (done["bytes"] / GIB)

    for server in stage.servers():
        stage.load.hits(server.port, paths=paths, requests=2 * files, clients=4)
    compare(stage, stage.servers(), report, text, target, measure, "ms a GiB", 1e3)


def absent(stage, report):
    paths = [tools.symbol(f"bn{number}.pdb") for number in range(200)]
    small(stage, report, "known-missing, kept connection", 2.5, paths, 0, status=404)
    small(stage, report, "known-missing, new connection", 1.7, paths, 0, status=404, fresh=True)


def one_kib(stage, report):
    paths = [tools.symbol(tools.file_name(number, KIB)) for number in range(200)]
    small(stage, report, "1 KB hit, kept connection", 2.5, paths, KIB)
    small(stage, report, "1 KB hit, new connection", 1.7, paths, KIB, fresh=True)


def sixty_four_kib(stage, report):
    paths = [tools.symbol(tools.file_name(number, 64 * KIB)) for number in range(100)]
    small(stage, report, "64 KB hit, kept connection", 1.6, paths, 64 * KIB)


def one_mib(stage, report):
    large(stage, report, "1 MB file, per GB", 1.0, MIB, 20, 2 if stage.quick else 6)


def sixteen_mib(stage, report):
    large(stage, report, "16 MB file, per GB", 1.0, 16 * MIB, 8, 2 if stage.quick else 6)


def quarter_gib(stage, report):
    large(stage, report, "256 MB file, per GB", 1.0, 256 * MIB, 2, 2 if stage.quick else 6)


def herd_once(stage, server, name):
    """(last client's end, slowest first byte after the origin's own, transfers, processor seconds)"""
    stage.settle()
    stage.origin.reset()
    before = server.cpu_s()
    herd = stage.load.herd(server.port, [tools.symbol(name)], clients=200).result()
    used = server.cpu_s() - before
    if herd.whole() != 200:
        raise tools.ToolFailed(f"{server.name}: only {herd.whole()} of 200 clients got the whole file")
    stats = stage.origin.stats()
    first_ms = max(client.first_ms for client in herd.clients) - (stats["first_ns"] - herd.asked_ns) / 1e6
    return max(client.end_ms for client in herd.clients), first_ms, stats["files"], used


def herd(stage, report):
    rounds = 1 if stage.quick else 3
    samples, direct = {}, []
    for number in range(rounds):
        name = tools.file_name(f"{number}1", 64 * MIB, rate=16 * MIB)
        alone = stage.load.herd(stage.origin.port, [tools.symbol(name)]).result()
        direct.append(alone.clients[0].end_ms)
        for server in stage.servers():
            samples.setdefault(server.name, []).append(herd_once(stage, server, name))
    columns = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in samples.items()}
    direct_ms = statistics.median(direct)
    ends = " · ".join(f"{name} {column[0] / 1000:.2f} s" for name, column in columns.items())
    firsts = " · ".join(f"{name} {column[1]:.1f} ms" for name, column in columns.items())
    used = " · ".join(f"{name} {column[3]:.2f} CPU s" for name, column in columns.items())
    ours = columns.get("symgate", [None, None, None, None])
    report.add("200 clients, one cold 64 MB file at 16 MB/s: transfers", ours[2], at_most=1, digits=0)
    report.add("… slowest first byte after the server's", ours[1], at_most=50, unit=" ms", digits=1, peers=firsts)
    report.add("… last client done, in direct downloads", ours[0] and ours[0] / direct_ms, at_most=1.1, unit="×",
               peers=f"direct {direct_ms / 1000:.2f} s · {ends} · {used}")


def cold_once(stage, server, name):
    """(seconds, first byte after the origin's own in ms, processor seconds)"""
    stage.settle()
    stage.origin.reset()
    before = server.cpu_s()
    client = (herd := stage.load.herd(server.port, [tools.symbol(name)], copy=True).result()).clients[0]
    if not client.whole:
        raise tools.ToolFailed(f"{server.name}: the cold file did not come whole (status {client.status})")
    first_ms = client.first_ms - (stage.origin.stats()["first_ns"] - herd.asked_ns) / 1e6
    return client.end_ms / 1000, first_ms, server.cpu_s() - before


def cold(stage, report):
    samples = {}
    for number in range(3):
        name = tools.file_name(f"{number}2", 256 * MIB)
        for server in (stage.origin, *stage.servers()):
            samples.setdefault(server.name, []).append(cold_once(stage, server, name))
    columns = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in samples.items()}
    shown = " · ".join(f"{name} {256 / column[0]:.0f} MB/s" for name, column in columns.items())
    firsts = " · ".join(f"{name} {column[1]:.1f} ms" for name, column in columns.items())
    used = " · ".join(f"{name} {column[2]:.2f} CPU s" for name, column in columns.items() if name != "origin")
    ours, theirs = columns.get("symgate"), columns.get("nginx")
    direct = columns["origin"][0]
    report.add("cold 256 MB file, speed against direct", direct / ours[0] if ours else None, at_least=0.5, unit="×", peers=shown)
    report.add("… against nginx's", theirs[0] / ours[0] if ours and theirs else None, at_least=1.3, unit="×", peers=used)
    report.add("… first byte after the server's", ours[1] if ours else None, at_most=3, unit=" ms", digits=1, peers=firsts)


JOBS = {"absent": absent, "1k": one_kib, "64k": sixty_four_kib, "1m": one_mib, "16m": sixteen_mib, "256m": quarter_gib,
        "herd": herd, "cold": cold}
