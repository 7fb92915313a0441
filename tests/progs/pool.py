#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A multiprocessing pool (pipes, semaphores), then three processes that take turns, by a lock, at
counting in shared memory. Exits 0 when both come to the right result.
"""
import multiprocessing
import sys
from multiprocessing import shared_memory


def square(n):
    return n * n


def count(lock, name, times):
    memory = shared_memory.SharedMemory(name)
    for _ in range(times):
        with lock:
            memory.buf[0] += 1
    memory.close()


def main():
    with multiprocessing.Pool(3) as pool:
        if pool.map(square, range(300), chunksize=7) != [n * n for n in range(300)]:
            return 1
    memory = shared_memory.SharedMemory(create=True, size=64)
    lock = multiprocessing.Lock()
    workers = [multiprocessing.Process(target=count, args=(lock, memory.name, 50)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    total = memory.buf[0]
    memory.close()
    memory.unlink()
    return 0 if total == 150 else 1


if __name__ == "__main__":
    sys.exit(main())
