"""
The daemon is killed with -9 while a user types, who notices nothing, and the next daemon finds desktop and viewer. The
VMM is killed with -9: the viewer is told, keeps its connection, and a key starts the desktop afresh.
"""

import os
import signal
import time

from desk import EDITOR, wait_console, wait_ready
from host import Host, alive, need_kvm, wait_for

need_kvm()

with Host(desktop=EDITOR) as host:
    viewer = host.login("alice")
    wait_ready(host, "alice")
    viewer.ask("pointer 5 300 0")
    viewer.ask("quiet 1500")
    pid = host.session("alice")["pid"]

    # Killed between two letters; the letters after it reach the desktop and show while no daemon runs.
    viewer.ask("type before ")
    host.kill()
    for letter in "during":
        viewer.ask("echo %x" % ord(letter))
    assert alive(pid), "the desktop ended with the daemon"
    started = time.monotonic()
    host.start()
    session = host.wait_state("alice", "active", timeout=10)
    assert time.monotonic() - started < 5, "the new daemon took %.1f s" % (time.monotonic() - started)
    assert session["pid"] == pid and len(session["viewers"]) == 1, session
    viewer.ask("echo %x" % ord("a"))

    # The adopted viewer leaves: the new daemon suspends as the old one would have.
    viewer.close()
    host.wait_suspended("alice", pid)

    # The virtual machine dies.
    viewer = host.login("alice")
    viewer.ask("quiet 1500")
    before = viewer.picture()
    pid = host.wait_state("alice", "active")["pid"]
    assert pid > 1, "the running desktop has no process"
    os.kill(pid, signal.SIGKILL)
    session = host.wait_state("alice", "failed", timeout=10)
    assert session["last_error"], "the failure has no reason: %s" % session
    viewer.wait_picture(lambda p: p.difference(before), "a caption that says what happened", 10)
    assert viewer.process.poll() is None, "the viewer was thrown out"
    viewer.ask("key ff0d 1")
    viewer.ask("key ff0d 0")
    session = host.wait_state("alice", "active", timeout=30)
    assert session["pid"] not in (0, pid), session
    wait_console(host, "alice", "tanmatsu-demo: ready", 2)
    wait_for(lambda: viewer.picture().difference(before) is not None, "the fresh desktop")
print("ok")
