# SPDX-License-Identifier: MIT
"""Load that only misses. Counts and verdicts are asserted; times are printed."""

import json
import pathlib
import subprocess
import sys

import pytest
from conftest import server
from double.origin import Script, delay, good, head, send
from double.origin import gate as hold_at
from program import SANITIZED
from symbols import missing, pdb

LOAD = pathlib.Path(__file__).with_name("load.py")


def run_load(gate, rate, seconds, first=1, connections=300):
    done = subprocess.run(
        [
            sys.executable,
            LOAD,
            gate.address[0],
            str(gate.address[1]),
            str(rate),
            str(seconds),
            str(first),
            str(connections),
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    print(told)
    return told


def memory_kib(gate):
    with open(f"/proc/{gate.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


@pytest.mark.slow
def test_only_misses(start, origin):
    """A thousand new unknown keys a second against a server 50 ms away with a hundred places."""
    origin.default = Script(b"", delay(0.05), head(404))
    gate = start(server(origin, maxRequests=100))
    rate = 100 if SANITIZED else 1000
    told = run_load(gate, rate, 10)
    assert told["verdicts"] == {"absent": rate * 10}
    assert origin.count() == rate * 10
    assert origin.running_max <= 100
    assert gate.metric("symgate_absences") == rate * 10
    again = run_load(gate, rate, 2)
    assert again["verdicts"] == {"absent": rate * 2}
    assert origin.count() == rate * 10, "they are remembered"


@pytest.mark.slow
def test_more_misses_than_the_server_can_answer(start, origin):
    """With ten places: what the queue holds is answered, what it cannot hold is busy at once, and a
    hit beside it is served."""
    origin.default = Script(b"", delay(0.05), head(404))
    gate = start(server(origin, maxRequests=10))
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    run_load(gate, 100, 1, connections=100)
    before = memory_kib(gate)
    told = run_load(gate, 1000, 5, first=100_000, connections=1500)
    print(f"memory {before} → {memory_kib(gate)} KiB")
    assert set(told["verdicts"]) <= {"absent", "busy", "later"}
    assert sum(told["verdicts"].values()) == 5000
    assert told["verdicts"].get("busy", 0) > 0
    assert origin.running_max <= 10
    assert gate.fetch(symbol).verdict == "hit"
    gate.wait_quiet()
    assert gate.metric("symgate_absences") == origin.count() - 1


@pytest.mark.slow
def test_a_burst_is_delivered_in_the_end(start, origin):
    """One client asks for 300 cold symbols at once, behind a line on which nothing comes in time: told
    "later" it keeps its places, and a try made after the queue has emptied is a hit for each."""
    symbols = [pdb(f"b{n}.pdb", size=100_000, seed=n) for n in range(300)]
    for symbol in symbols:
        origin.on(symbol.remote, Script(symbol.body, hold_at("line"), head(), send()))
    gate = start(server(origin, maxRequests=10))
    hurried = {"Symbol-Agent-Receive-Timeout": "1500"}
    asked = [gate.ask(symbol.path, headers=hurried) for symbol in symbols]
    assert {one.answer().verdict for one in asked} == {"later"}
    assert origin.count() == 10
    origin.open("line")
    gate.wait_quiet()
    for symbol in symbols:
        answer = gate.get(symbol.path)
        assert (answer.status, answer.verdict) == (200, "hit")
        assert answer.body == symbol.body
        assert origin.count(symbol.remote) == 1
    assert origin.running_max <= 10
    for one in asked:
        one.close()
    gate.check(*symbols)


@pytest.mark.sanitized
def test_many_clients_for_many_symbols(gate, origin):
    """Everything at once: hits, misses, joins, hang-ups."""
    symbols = [pdb(f"m{n}.pdb", size=40_000 + 37_000 * n, seed=n) for n in range(20)]
    for symbol in symbols:
        origin.on(symbol.remote, good(symbol.body))
    answers = []
    for round_number in range(5):
        for n, symbol in enumerate(symbols):
            answers.append((symbol, gate.get_later(symbol.path)))
            if n % 5 == round_number:
                gate.ask(symbol.path).reset()
                gate.get_later(missing(n).path)
    for symbol, answer in answers:
        assert answer.result().body == symbol.body
    assert origin.count() <= 20 + 5 * 20
    for symbol in symbols:
        assert origin.count(symbol.remote) == 1
    gate.check(*symbols)
