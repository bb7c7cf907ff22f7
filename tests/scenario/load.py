# SPDX-License-Identifier: MIT
"""A client of its own process: asks for new unknown keys at a steady rate, or as fast as it can.

    python3 load.py HOST PORT RATE SECONDS FIRST_NUMBER CONNECTIONS

Prints one JSON line: how many of each verdict, and the waits in milliseconds."""

import asyncio
import collections
import json
import sys
import time


async def ask(reader, writer, number):
    key = f"{number:032X}1"
    writer.write(f"GET /symbols/none.pdb/{key}/none.pdb HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    await reader.readexactly(length)
    return head.split("x-symgate-verdict:")[1].split("\r\n")[0].strip()


async def worker(address, jobs, verdicts, waits):
    reader, writer = await asyncio.open_connection(*address)
    while (job := await jobs.get()) is not None:
        due, number = job
        verdicts[await ask(reader, writer, number)] += 1
        waits.append(time.monotonic() - due)
    writer.close()


async def main(host, port, rate, seconds, first, connections):
    jobs, verdicts, waits = asyncio.Queue(), collections.Counter(), []
    workers = [
        asyncio.create_task(worker((host, port), jobs, verdicts, waits)) for _ in range(connections)
    ]
    began = time.monotonic()
    for n in range(rate * seconds):
        due = began + n / rate
        if (ahead := due - time.monotonic()) > 0.001:
            await asyncio.sleep(ahead)
        jobs.put_nowait((due, first + n))
    for _ in workers:
        jobs.put_nowait(None)
    await asyncio.gather(*workers)
    waits.sort()
    print(
        json.dumps(
            {
                "verdicts": verdicts,
                "seconds": time.monotonic() - began,
                "median_ms": waits[len(waits) // 2] * 1000,
                "p99_ms": waits[len(waits) * 99 // 100] * 1000,
                "most_ms": waits[-1] * 1000,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
