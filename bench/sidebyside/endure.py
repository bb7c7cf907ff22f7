# SPDX-License-Identifier: MIT
"""Jobs about symgate alone: memory, many connections, absences, restarts, misses without end, bursts."""
import http.client
import json
import os
import statistics
import threading
import time

from . import peers, tools

KIB, MIB = 1 << 10, 1 << 20
OUTCOMES_KEPT = 10000
ABSENT_PATTERN = tools.symbol(f"bn{tools.COUNTER}.pdb")
DISTANT_PATTERN = tools.symbol(f"bd50n{tools.COUNTER}.pdb")


class Sampler:
    """Looks at a server's memory every tenth of a second beside whatever the job does."""

    def __init__(self, server):
        self.server = server
        self.samples = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.ended.wait(0.1):
            try:
                self.samples.append(self.server.memory_bytes())
            except OSError:
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def hot_paths(stage, server, count=50):
    paths = [tools.symbol(tools.file_name(number, KIB)) for number in range(count)]
    stage.load.hits(server.port, paths=paths, requests=4 * count, clients=8)
    return paths


def slow_readers(stage, report):
    clients, seconds = (1000, 6 if stage.quick else 20)
    with stage.symgate() as server:
        paths = [tools.symbol(tools.file_name(number, 16 * MIB)) for number in range(8)]
        stage.load.hits(server.port, paths=paths, requests=64, clients=8)
        before = server.memory_bytes()
        with Sampler(server) as sampler:
            herd = stage.load.herd(server.port, paths, clients=clients, rate=64 * KIB, seconds=seconds).result()
        due = 0.9 * 64 * KIB * (seconds - 1)
        served = sum(client.received >= due for client in herd.clients)
        report.add("1,000 clients reading at 64 KB/s: served at that speed", served, at_least=clients, digits=0)
        report.add("… own memory each", (max(sampler.samples) - before) / clients / KIB, at_most=10, unit=" KiB")


def idle(stage, report):
    with stage.symgate() as server:
        path = hot_paths(stage, server)[0]
        before = server.memory_bytes()
        first = stage.load.idle(server.port, 10000, path)
        report.add("10,000 idle connections: answered and kept", first.answered, at_least=10000, digits=0)
        report.add("… own memory each", (server.memory_bytes() - before) / 10000 / KIB, at_most=1, unit=" KiB")
        early = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        early.request("GET", path)
        early.getresponse().read()
        second = stage.load.idle(server.port, 10000, path)
        asked = time.monotonic()
        early.request("GET", path)
        early.getresponse().read()
        waited_ms = (time.monotonic() - asked) * 1000
        held = first.answered + second.answered
        report.add("20,000 idle connections: hit beside them", waited_ms, at_most=50, unit=" ms",
                   peers=f"{held} held, {second.connected - second.answered} left waiting, limit of open files "
                         f"{os.sysconf('SC_OPEN_MAX')}, {server.memory_bytes() / MIB:.0f} MiB")
        early.close()
        first.end(), second.end()
        asked = time.monotonic()
        status, _ = peers.get(server.port, path, timeout_s=10)
        report.add("… first answer after they left", (time.monotonic() - asked) * 1000, at_most=1000, unit=" ms",
                   peers=f"status {status}")


def learn(stage, server, start, count):
    return stage.load.hits(server.port, pattern=ABSENT_PATTERN, start=start, requests=count, clients=16, status=404)


def absences(stage, report):
    primed, count = 20000, 20000 if stage.quick else 100000
    with stage.symgate(requests_max=1000, enableStatistics=False) as server:
        paths = hot_paths(stage, server)
        learn(stage, server, 0, primed)
        before = server.memory_bytes()
        beside = stage.load.paced(server.port, 200, 4 if stage.quick else 15, paths=paths)
        learned = learn(stage, server, primed, count)
        hits = beside.result()
        after = server.memory_bytes()
        report.add(f"{count:,} new absences: memory each", (after - before) / count, at_most=64, unit=" B", digits=1)
        waits = learned["waits"]
        report.add("… longest wait of a request that learns one", waits["max"], at_most=50, unit=" ms", digits=1,
                   peers=f"median {waits['p50']:.1f}, 99.9 % {waits['p999']:.1f} ms, {count / learned['seconds']:.0f}/s")
        report.add("… longest wait of a hit beside", hits["waits"]["max"], at_most=50, unit=" ms", digits=1,
                   peers=f"99 % {hits['waits']['p99']:.2f} ms")


def image(number):
    return f"bench{number:06}.dll"


def fill_shelf(stage, server, count):
    """Files that another program put there: images of the right identity, which symgate checks when they are asked for."""
    body = peers.get(stage.origin.port, tools.symbol(tools.file_name(0, KIB)))[1]
    for number in range(count):
        name = image(number)
        folder = server.cache / name / tools.IMAGE_ID
        folder.mkdir(parents=True)
        (folder / name).write_bytes(body)


def first_answer_ms(server, path):
    """Starts the server and asks until it answers; milliseconds from the start."""
    begun = time.monotonic()
    server.start(wait=False)
    while time.monotonic() < begun + 30:
        try:
            status, _ = peers.get(server.port, path)
            return (time.monotonic() - begun) * 1000, status
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.0005)
    raise peers.Died("symgate did not answer within 30 s of its start")


def restart(stage, report):
    files, absent = (10000, 20000) if stage.quick else (100000, 200000)
    with stage.symgate(requests_max=1000) as server:
        learn(stage, server, 0, absent)
        fill_shelf(stage, server, files)
        times, asked_again = [], []
        for number in range(3):
            server.stop()
            stage.origin.reset()
            waited_ms, status = first_answer_ms(server, tools.symbol(image(number * 37 + 11)))
            if status != 200:
                raise tools.ToolFailed(f"the first answer after a restart was {status}")
            times.append(waited_ms)
            stage.load.hits(server.port, paths=[ABSENT_PATTERN.replace(tools.COUNTER, f"{number * 1000:08}")],
                            requests=1, clients=1, status=404)
            asked_again.append(stage.origin.stats()["absent"])
        report.add(f"restart with {files:,} files and {absent:,} absences: first hit", statistics.median(times), at_most=50,
                   unit=" ms", digits=1, peers="from the start of the process")
        report.add("… remembered absences asked for again", sum(asked_again), at_most=0, digits=0)


def only_misses(stage, report, requests_max):
    seconds = 6 if stage.quick else 60
    with stage.symgate(requests_max=requests_max) as server:
        paths = hot_paths(stage, server)
        learn(stage, server, 0, OUTCOMES_KEPT)  # the last outcomes are kept: so many, and then no more
        with Sampler(server) as sampler:
            misses = stage.load.paced(server.port, 1000, seconds, pattern=DISTANT_PATTERN, source=1)
            hits = stage.load.paced(server.port, 200, seconds, paths=paths).result()
            done = misses.result()
    third = len(sampler.samples) * seconds // (seconds + 5) // 3
    grown = max(sampler.samples) - sampler.samples[third]
    learned = done["verdicts"].get("404 absent", {"count": 0, "max": 0})
    allowed = 64 * learned["count"] + MIB
    report.add(f"1,000 unknown keys a second, maxRequests {requests_max}: memory growth in allowed growths", grown / allowed,
               at_most=1, peers=f"{grown / MIB:.1f} MiB grown; allowed: 64 B an absence and 1 MiB")
    report.add("… hits beside, 99 %", hits["waits"]["p99"], at_most=1, unit=" ms",
               peers=f"median {hits['waits']['p50']:.2f}, longest {hits['waits']['max']:.2f} ms")
    return done, learned


def describe(done):
    parts = [f"{name.strip()} {waits['count']}" for name, waits in done["verdicts"].items()]
    parts += [f"{name} {done[name]}" for name in ("broken", "refused", "unanswered") if done[name]]
    return ", ".join(parts)


def misses(stage, report):
    done, _ = only_misses(stage, report, 100)
    lost = done["broken"] + done["refused"] + done["unanswered"]
    report.add("… longest wait", done["waits"]["max"] if not lost else 1e6, at_most=200, unit=" ms", digits=1,
               peers=f"99 % {done['waits']['p99']:.1f} ms; {describe(done)}")
    done, learned = only_misses(stage, report, 10)
    busy = done["verdicts"].get("404 busy", {"count": 0, "p99": 0, "max": 0})
    report.add("… told busy, 99 %", busy["p99"] if busy["count"] else 1e6, at_most=50, unit=" ms", digits=1,
               peers=f"longest {busy['max']:.1f} ms; {describe(done)}")
    report.add("… longest wait in the queue (1,000 places, 200 a second)", learned["max"] / 1000, at_most=5.5, unit=" s")


def wait_quiet(origin, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if origin.stats()["under_way"] == 0:
            time.sleep(0.3)
            if origin.stats()["under_way"] == 0:
                return
        time.sleep(0.1)


def burst(stage, report):
    size, line = (2 * MIB, 10 * MIB) if stage.quick else (20 * MIB, 100 * MIB)
    with stage.symgate(requests_max=10) as server:
        stage.settle()
        stage.origin.reset()
        paths = [tools.symbol(tools.file_name(number, size, line=line)) for number in range(300)]
        herd = stage.load.herd(server.port, paths, clients=300, check=True).result()
        verdicts = {}
        for client in herd.clients:
            verdicts[client.verdict] = verdicts.get(client.verdict, 0) + 1
        left = [path for path, client in zip(paths, herd.clients) if not client.whole]
        broken = sum(client.status == 200 and not client.whole for client in herd.clients)
        wait_quiet(stage.origin, 600)
        transfers = stage.origin.stats()["files"]
        later = stage.load.herd(server.port, left, clients=len(left), check=True).result().whole() if left else 0
        shown = ", ".join(f"{verdict} {count}" for verdict, count in sorted(verdicts.items()))
        report.add(f"burst of 300 cold {size // MIB} MB symbols, line of {line // MIB} MB/s: delivered", herd.whole() + later,
                   at_least=300, digits=0, peers=f"first try {shown}; {transfers} transfers; broken {broken}")


def soak(stage, report):
    """An hour of 1,000 requests a second, each for another file, as fast as it goes."""
    count = 200000 if stage.quick else 3600000
    with stage.symgate(blacklist=["bn"]) as server:
        with Sampler(server) as sampler:
            stage.load.hits(server.port, pattern=ABSENT_PATTERN, start=0, requests=count, clients=16, status=404)
            totals = json.loads(peers.get(server.port, "/statistics.json", timeout_s=30)[1])
        missed = abs(totals["numRequests"] - count) + abs(totals["numExcluded"] - count)
        report.add(f"{count:,} requests for different files: missed by the totals", missed, at_most=0, digits=0)
        report.add("… own memory at most", max(sampler.samples) / MIB, at_most=256, unit=" MiB")
        size = (server.data / "statistics.db").stat().st_size
        report.add("… file of statistics", size / MIB, at_most=2048, unit=" MiB",
                   peers=f"{totals['lostDetails']:,} details had no room")


JOBS = {"soak": soak, "slow": slow_readers, "idle": idle, "absences": absences, "restart": restart, "misses": misses, "burst": burst}
