"""Hostile peers before the login (bounded in number and time): a good login works meanwhile, and memory stays flat."""

import os
import socket
import ssl
import time

from host import Host, need_kvm, wait_for

need_kvm()


def connect(host):
    sock = socket.create_connection(("127.0.0.1", host.port), timeout=10)
    return sock


def resident_kib(pids):
    total = 0
    for pid in pids:
        try:
            with open("/proc/%d/smaps_rollup" % pid) as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Private_"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass
    return total


def good_login(host, seconds):
    start = time.monotonic()
    viewer = host.login("alice")
    took = time.monotonic() - start
    assert took < seconds, "a good login took %.1f s" % took
    viewer.close()


def read_all(sock):
    data = b""
    try:
        while True:
            got = sock.recv(4096)
            if not got:
                return data
            data += got
    except (ConnectionResetError, socket.timeout, TimeoutError):
        return data


with Host(options={"login_grace": "5s"}, desktop={"disconnect_grace": "60s"}) as host:
    good_login(host, 20)

    # Silent peers, and one that sends a byte at a time, are dropped by the grace time.
    slow = [connect(host) for _ in range(5)]
    dribble = connect(host)
    start = time.monotonic()
    good_login(host, 5)
    for byte in b"RFB 003.0":
        dribble.send(bytes([byte]))
    for sock in slow + [dribble]:
        sock.settimeout(15)
        read_all(sock)
    assert time.monotonic() - start < 20, "slow peers were kept for %.0f s" % (time.monotonic() - start)

    # RFB 3.3 is refused with a reason.
    sock = connect(host)
    assert sock.recv(12) == b"RFB 003.008\n"
    sock.send(b"RFB 003.003\n")
    sock.settimeout(10)
    answer = read_all(sock)
    assert answer[:4] == b"\0\0\0\0" and len(answer) > 8, answer

    # No security type that was not offered leads anywhere.
    for chosen in (1, 2, 16, 18, 20, 22, 30, 255):
        sock = connect(host)
        sock.recv(12)
        sock.send(b"RFB 003.008\n")
        count = sock.recv(1)[0]
        offered = sock.recv(count)
        assert chosen not in offered and 19 in offered, offered
        sock.send(bytes([chosen]))
        sock.settimeout(10)
        answer = read_all(sock)
        assert not answer.startswith(b"\0\0\0\0"), "type %d was accepted" % chosen

    # Garbage, many times.
    for size in (0, 1, 11, 12, 13, 4096):
        for _ in range(5):
            sock = connect(host)
            sock.send(os.urandom(size))
            sock.close()

    # Half-open connections: bounded, and a good login comes through.
    before = resident_kib(host.processes("tanmatsu-hostd"))
    flood = []
    for _ in range(300):
        try:
            flood.append(connect(host))
        except (ConnectionError, TimeoutError, socket.timeout):
            break
    wait_for(lambda: len(host.processes("tanmatsu-display")) <= 100, "no more than 100 half-open connections are kept")
    for sock in flood:
        sock.close()
    good_login(host, 10)
    grown = resident_kib(host.processes("tanmatsu-hostd")) - before
    assert grown < 16 * 1024, "the daemon grew by %d KiB" % grown

    # Wrong passwords: the answer takes its time, longer each time, and the right password is not locked out.
    wrong = host.folder / "wrong"
    wrong.write_text("wrong\n")
    times = []
    for user in ("alice", "nobody-of-that-name", "alice"):
        start = time.monotonic()
        assert not host.probe(user, password_file=wrong).connect()
        times.append(time.monotonic() - start)
    assert min(times) > 0.5, "a wrong password was answered after %s s" % times
    good_login(host, 5)
    assert ssl.OPENSSL_VERSION
print("ok")
