#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A unix-socket server and clients: unix_echo.py [CLIENTS [ROUNDS]]

The server serves one client after the other, all clients do the same, and each waits for every
answer, so that the calls of every process are the same in every run, whoever comes first.
"""
import os
import socket
import sys
import tempfile


def receive(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            return None
        data += more
    return data


def serve(listener, clients):
    for _ in range(clients):
        sock, _ = listener.accept()
        with sock:
            while (request := receive(sock, 100)) is not None:
                sock.sendall(request.upper() * 3)


def ask(path, rounds):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        for i in range(rounds):
            sock.sendall(b"%-100d" % i)
            if receive(sock, 300) != b"%-100d" % i * 3:
                return 1
        sock.shutdown(socket.SHUT_WR)
        return 0 if sock.recv(1) == b"" else 1


def main():
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(clients)
            pids = []
            for _ in range(clients):
                pid = os.fork()
                if pid == 0:
                    listener.close()
                    os._exit(ask(path, rounds))
                pids.append(pid)
            serve(listener, clients)
        return max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids)


if __name__ == "__main__":
    sys.exit(main())
