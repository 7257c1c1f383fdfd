"""
Suspend and resume in figures, for a desktop of 1 GiB with 768 MiB that are not zero: bytes written, how long the guest
stands still, until its process is gone, from a login to the last frame and to the first key that is answered, with the
snapshot in the page cache and without; what idle desktops cost; a run of cycles. Beside QEMU's migration to a file.
"""

import os
import sys
import time

from peers import Qemu, private_kib
from report import Report, arguments, median, percentile

from desk import TERMINAL, console, wait_console, wait_ready
from host import Host, alive, need_kvm, wait_for

MEMORY_MIB = 1024
FILLED_MIB = 768
SCREEN_MIB = 4  # the shell's window scrolls: the screen's pages are dirty as well
CYCLES_SECONDS = int(os.environ.get("TANMATSU_CYCLES_SECONDS", "45"))
IDLE_SESSIONS = 20
MIB = 1 << 20


def evict(folder):
    """Drops the files below from the page cache, those of nobody else. What a process has mapped stays."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Desktop:
    """Alice's desktop with a shell, to be used by hand."""

    def __init__(self, host):
        self.host = host
        self.writes = 0
        self.log = host.state / "sessions/alice/console.log"

    def write_pattern(self, probe, mib):
        self.writes += 1
        for letter in "pattern write %d" % mib:
            probe.ask("type " + letter)
        probe.ask("key ff0d 1")
        probe.ask("key ff0d 0")
        wait_console(self.host, "alice", "pattern: written", self.writes, timeout=60)

    def log_in(self):
        """(ms to the last frame, ms to an answered key), both after the password was accepted."""
        probe = self.host.probe("alice")
        size = os.path.getsize(self.log)
        assert probe.connect()
        start = time.monotonic()
        frame = (int(probe.ask("frame").split()[2]) - probe.connect_us) / 1000
        end = start + 60
        # The key waits for the guest in vain while it is loaded: it is struck again. Backspace at a prompt is harmless.
        while not self.answered(size):
            assert time.monotonic() < end, "the desktop answers no key"
            probe.ask("key ff08 1")
            probe.ask("key ff08 0")
            strike = time.monotonic() + 0.010
            while time.monotonic() < strike and not self.answered(size):
                time.sleep(0.0005)
        key = (time.monotonic() - start) * 1000
        return probe, frame, key

    def answered(self, size):
        if os.path.getsize(self.log) == size:
            return False
        with open(self.log, "rb") as log:
            log.seek(size)
            return b"key:" in log.read()

    def suspend(self):
        """The daemon's report, and milliseconds until the VMM was gone as the caller sees it."""
        pid = self.host.session("alice")["pid"]
        start = time.monotonic()
        result = self.host.tanmatsu("suspend", "alice", json_output=True)
        wait_for(lambda: not alive(pid) if os.path.exists("/proc/%d" % pid) else True, "the VMM is gone", interval=0.001)
        return result, (time.monotonic() - start) * 1000


def dirtied(desktop, mib, rounds, values):
    for _ in range(rounds):
        for cache in ("warm", "cold"):
            probe, frame, key = desktop.log_in()
            if cache == values.get("cache"):
                values.setdefault("frame " + cache, []).append(frame)
                values.setdefault("key " + cache, []).append(key)
            desktop.write_pattern(probe, mib)
            probe.close()
            result, gone = desktop.suspend()
            values.setdefault("written", []).append((result["ram_bytes"] + result["state_bytes"]) / MIB)
            values.setdefault("still", []).append(result["stopped_us"] / 1000)
            values.setdefault("gone", []).append(gone)
            values["cache"] = "cold" if cache == "warm" else "warm"
            if values["cache"] == "cold":
                evict(desktop.host.state)


def ours(values, rounds):
    options = {"disconnect_grace": "600s", "command_line": TERMINAL["command_line"]}
    with Host(memory=MEMORY_MIB, desktop=options) as host:
        desktop = Desktop(host)
        probe = host.login("alice")
        wait_ready(host, "alice")
        probe.ask("quiet 1000")
        desktop.write_pattern(probe, FILLED_MIB)
        probe.close()
        _, values["first"] = desktop.suspend()
        for mib in (16, 64, 256):
            values[mib] = {"cache": None}
            dirtied(desktop, mib, rounds, values[mib])
        nothing = []
        for _ in range(rounds):
            host.tanmatsu("resume", "alice")
            result, _ = desktop.suspend()
            nothing.append((result["ram_bytes"] + result["state_bytes"]) / 1024)
        values["nothing"] = nothing
        assert not host.processes("tanmatsu-vmm")
        # What is on disk after all that, beside what the guest's memory has.
        values["disk"] = host.session("alice")["snapshot_bytes"] / MIB
    cycles(values)
    idle(values)


def cycles(values):
    """How many times within the time, and whether the last are slower than the first."""
    with Host(memory=64, desktop={"command_line": "demo.pattern=16", "disconnect_grace": "600s"}) as host:
        host.tanmatsu("start", "alice")
        wait_ready(host, "alice")
        took = []
        end = time.monotonic() + CYCLES_SECONDS
        while time.monotonic() < end and len(took) < 1000:
            start = time.monotonic()
            host.tanmatsu("suspend", "alice")
            host.tanmatsu("resume", "alice")
            took.append((time.monotonic() - start) * 1000)
        # The guest checks after each resume, and is often put away again before it is done: the last check counts.
        host.tanmatsu("suspend", "alice")
        checked = console(host, "alice").count("pattern: ok 16 MiB")
        host.tanmatsu("resume", "alice")
        wait_console(host, "alice", "pattern: ok 16 MiB", checked + 1)
        assert "BAD" not in console(host, "alice")
        tenth = max(1, len(took) // 10)
        values["cycles"] = len(took)
        values["cycle early"], values["cycle late"] = median(took[:tenth]), median(took[-tenth:])
        daemon = [private_kib(pid)[1] for pid in host.processes("tanmatsu-hostd")]
        values["daemon"] = sum(daemon) / 1024


def idle(values):
    """Desktops that wait for nobody: private memory of their VMMs, and what the guest itself has of it."""
    users = ["user%02d" % number for number in range(IDLE_SESSIONS)]
    with Host(users=users, memory=64, desktop={"disconnect_grace": "600s"}) as host:
        private, beyond = [], []
        for user in users:
            host.tanmatsu("start", user)
            wait_ready(host, user)
        for user in users:
            status = host.tanmatsu("status", user, json_output=True)
            mib = private_kib(status["session"]["pid"])[1] / 1024
            private.append(mib)
            beyond.append(mib - status["statistics"]["ram_private_bytes"] / MIB)
        values["idle"], values["idle beyond"] = median(private), median(beyond)


def qemu(values, rounds):
    peer = Qemu(MEMORY_MIB, FILLED_MIB)
    peer.start()
    peer.settled_probe().close()
    path = peer.folder / "state"
    for cache in ("warm", "cold"):
        for _ in range(rounds):
            start = time.monotonic()
            peer.migrate(path)
            with open(path, "rb") as file:
                os.fsync(file.fileno())
            values.setdefault("still", []).append((time.monotonic() - start) * 1000)
            peer.stop()
            values.setdefault("gone", []).append((time.monotonic() - start) * 1000)
            values.setdefault("written", []).append(path.stat().st_size / MIB)
            if cache == "cold":
                evict(peer.folder)
            start = time.monotonic()
            peer.start("-incoming", "exec:cat %s" % path)
            wait_for(lambda: peer.command("query-status")["return"]["status"] != "inmigrate", "loaded", interval=0.002)
            peer.command("cont")
            values.setdefault("key " + cache, []).append((time.monotonic() - start) * 1000)
    peer.close()


def report(mine, theirs):
    rows = Report()
    name = "qemu migrate"

    def both(figure, unit, ours_list, theirs_list, target=None):
        for percent in (50, 99):
            rows.add("%s, p%d" % (figure, percent), unit, percentile(ours_list, percent),
                     {name: percentile(theirs_list, percent)} if theirs_list else None,
                     target(percent) if callable(target) else target)
    for mib in (16, 64, 256):
        values = mine[mib]
        rows.add("written per suspend, %d MiB dirtied" % mib, "MiB", median(values["written"]),
                 {name: median(theirs["written"])}, 1.1 * (mib + SCREEN_MIB))
        both("guest stands still, %d MiB dirtied" % mib, "ms", values["still"], theirs["still"])
        both("suspend -> VMM is gone, %d MiB dirtied" % mib, "ms", values["gone"], theirs["gone"],
             median(theirs["gone"]) / 10 if mib == 64 else None)
    rows.add("written by a second suspend, nothing done", "KiB", median(mine["nothing"]), None, 1024)
    for cache, limit in (("warm", 100), ("cold", 500)):
        for mib in (16, 64, 256):
            both("login -> last frame, %s, %d MiB" % (cache, mib), "ms", mine[mib]["frame " + cache], None, 50)
            both("login -> guest answers a key, %s, %d MiB" % (cache, mib), "ms", mine[mib]["key " + cache],
                 theirs["key " + cache], limit)
    rows.add("%d idle desktops of 64 MiB, private memory of each VMM" % IDLE_SESSIONS, "MiB", mine["idle"])
    rows.add("the same beyond the guest's own pages", "MiB", mine["idle beyond"], None, 3)
    rows.add("a cycle of suspend and resume, first tenth of %d" % mine["cycles"], "ms", mine["cycle early"])
    rows.add("the same, last tenth", "ms", mine["cycle late"], None, 1.2 * mine["cycle early"])
    rows.add("daemon's private memory after them", "MiB", mine["daemon"])
    rows.add("snapshots on disk after all of it, 1 GiB desktop", "MiB", mine["disk"])
    return rows


def main():
    options = arguments(__doc__)
    need_kvm()
    mine, theirs = {}, {}
    ours(mine, options.rounds)
    qemu(theirs, options.rounds)
    report(mine, theirs).print(options.json)


if __name__ == "__main__":
    sys.exit(main())
