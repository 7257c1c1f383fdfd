"""
The main job in figures: connect to first frame, login to desktop (cold, resumed), key to pixel, suspend and resume with
bytes written, memory of each process; beside QEMU with its VNC server, in one run.
"""

import random
import sys
import time

from peers import Qemu, private_kib
from report import Report, arguments, median, percentile

from desk import EDITOR, wait_ready
from host import Host, need_kvm, wait_for

KEYS_PER_ROUND = 8


def keys(probe, count):
    """Microseconds from each key to the first changed pixel, with a typist's pauses."""
    times = []
    for number in range(count):
        time.sleep(random.uniform(0.180, 0.400))
        times.append(int(probe.ask("echo %x" % ord("abcdefgh"[number % 8]))))
    return times


def first_frames(connect, rounds):
    """Milliseconds from connect() to the first whole frame, of a desktop that runs already."""
    times = []
    for _ in range(rounds):
        probe = connect()
        times.append(int(probe.ask("frame").split()[2]) / 1000)
        probe.close()
    return times


def login_to_key(host, rounds, prepare):
    """Milliseconds from connect() until the desktop has answered a key, after `prepare` put it away."""
    times = []
    for _ in range(rounds):
        prepare()
        start = time.monotonic()
        probe = host.login("alice")
        host.wait_state("alice", "active")
        probe.ask("quiet 30 5000")
        settled = time.monotonic()
        echo = int(probe.ask("echo 61")) / 1e6
        # The pause that tells the desktop from the caption is not the desktop's.
        times.append((settled - start - 0.030 + echo) * 1000)
        probe.close()
    return times


def ours(report_values, rounds):
    with Host(desktop=dict(EDITOR, disconnect_grace="600s")) as host:
        probe = host.login("alice")
        wait_ready(host, "alice")
        probe.ask("quiet 1500")
        report_values["key"] = keys(probe, rounds * KEYS_PER_ROUND)
        report_values["memory"] = {
            name: private_kib(host.processes(name)[0]) for name in ("tanmatsu-vmm", "tanmatsu-display")}
        daemon = [private_kib(pid) for pid in host.processes("tanmatsu-hostd")]
        report_values["memory"]["tanmatsu-hostd"] = tuple(map(sum, zip(*daemon)))
        report_values["frame"] = first_frames(lambda: host.login("alice"), rounds)
        probe.close()
        suspends, resumes, ram = [], [], []
        for _ in range(rounds):
            result = host.tanmatsu("suspend", "alice", json_output=True)
            suspends.append(result["took_us"] / 1000)
            ram.append(result["ram_bytes"] / 1024)
            resumes.append(host.tanmatsu("resume", "alice", json_output=True)["took_us"] / 1000)
        report_values.update(suspend=suspends, resume=resumes, ram=ram)
        report_values["resumed"] = login_to_key(host, rounds, lambda: host.tanmatsu("suspend", "alice"))

        def off():
            host.tanmatsu("kill", "alice")
            wait_for(lambda: host.session("alice")["pid"] == 0, "the desktop is off")
        report_values["cold"] = login_to_key(host, max(3, rounds // 4), off)


def qemu(values, rounds):
    peer = Qemu()
    peer.start()
    probe = peer.settled_probe()
    values["key"] = keys(probe, rounds * KEYS_PER_ROUND)
    values["memory"] = private_kib(peer.process.pid)
    probe.close()
    values["frame"] = first_frames(peer.probe, rounds)
    suspends, resumes, sizes = [], [], []
    path = peer.folder / "state"
    for _ in range(max(3, rounds // 2)):
        suspends.append(peer.migrate(path) * 1000)
        sizes.append(path.stat().st_size / 1024)
        peer.stop()
        start = time.monotonic()
        peer.start("-incoming", "exec:cat %s" % path)
        wait_for(lambda: peer.command("query-status")["return"]["status"] != "inmigrate", "loaded", interval=0.002)
        peer.command("cont")
        resumes.append((time.monotonic() - start) * 1000)
    values.update(suspend=suspends, resume=resumes, ram=sizes)
    peer.close()


def main():
    options = arguments(__doc__)
    need_kvm()
    mine, theirs = {}, {}
    ours(mine, options.rounds)
    qemu(theirs, options.rounds)

    report = Report()
    name = "qemu -vnc"
    report.add("connect -> first frame (ours: with TLS, PAM, login), p50", "ms", median(mine["frame"]), {name: median(theirs["frame"])})
    report.add("login -> desktop answers a key, from off", "ms", median(mine["cold"]))
    report.add("login -> desktop answers a key, from disk", "ms", median(mine["resumed"]),
               {name: median(theirs["resume"])}, 1000)
    for percent, target in ((50, 2), (99, 5)):
        report.add("key -> pixel through the guest, p%d" % percent, "ms", percentile(mine["key"], percent) / 1000,
                   {name: percentile(theirs["key"], percent) / 1000}, target)
    report.add("suspend, until the process is gone", "ms", median(mine["suspend"]), {name: median(theirs["suspend"])})
    report.add("resume, until vCPUs run", "ms", median(mine["resume"]), {name: median(theirs["resume"])})
    report.add("written per suspend", "KiB", median(mine["ram"]), {name: median(theirs["ram"])})
    for process, (pss, private) in mine["memory"].items():
        peer = theirs["memory"] if process == "tanmatsu-vmm" else (None, None)
        report.add("%s, PSS" % process, "KiB", pss, {name: peer[0]})
        report.add("%s, private" % process, "KiB", private, {name: peer[1]})
    report.print(options.json)


if __name__ == "__main__":
    sys.exit(main())
