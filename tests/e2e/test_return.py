"""
The main job: a sentence is typed into the desktop's editor, the viewer goes away in the middle of a word, the desktop is
suspended and its process gone, the daemon is killed and started again, another viewer logs in: the same pixels, and
typing goes on in the word.
"""

import os

from desk import EDITOR, clock_area, wait_console, wait_ready
from host import Host, alive, need_kvm, need_programs, wait_for

need_kvm()
need_programs("xtigervncviewer", "Xvfb", "xdotool")


def leave_and_return(host, leave):
    """One absence: `leave` is how the viewer goes. Returns the new viewer and the picture before."""
    viewer = host.clients[-1]
    viewer.ask("quiet 1500")
    before = viewer.picture()
    pid = host.session("alice")["pid"]
    assert pid and alive(pid)
    leave(viewer)
    saved = host.wait_suspended("alice", pid)
    assert saved["pid"] == 0 and saved["snapshot_bytes"] > 0, saved
    assert not host.processes("tanmatsu-vmm"), "a suspended desktop has no process"
    host.kill()
    wait_for(lambda: not [p for p in host.processes("tanmatsu-hostd") if alive(p)], "the broker ends with its monitor")
    host.start()
    assert host.session("alice")["state"] == "saved"
    viewer = host.login("alice")
    host.wait_state("alice", "active")
    viewer.ask("quiet 1500")
    box = before.difference(viewer.picture(), clock_area(before.width, before.height))
    assert box is None, "the picture changed in %s while the desktop was away" % (box,)
    return viewer


with Host(desktop=EDITOR) as host:
    viewer = host.login("alice")
    wait_ready(host, "alice")
    viewer.ask("pointer 5 300 0")
    viewer.ask("quiet 1500")
    empty = viewer.picture()
    viewer.ask("type The quick brown fox jum")
    viewer.ask("quiet 1500")
    assert empty.difference(viewer.picture()), "typing shows nothing"
    resumes = host.session("alice")["resumes"]

    # The window is closed in the middle of the word.
    viewer = leave_and_return(host, lambda v: v.close())
    viewer.ask("type ps over")
    wait_console(host, "alice", "key:")
    # The machine of the viewer loses power.
    viewer = leave_and_return(host, lambda v: v.vanish())
    assert host.session("alice")["resumes"] == resumes + 2

    # Typing goes on, in another viewer.
    before = viewer.picture()
    viewer.close()
    host.wait_state("alice", "saved")
    tiger = host.tigervnc("alice")
    tiger.window()
    host.wait_state("alice", "active")
    tiger.type(" the lazy dog")
    tiger.close()
    viewer = host.login("alice")
    viewer.ask("quiet 1500")
    assert before.difference(viewer.picture(), clock_area(before.width, before.height)), "typing went nowhere"

    # An orderly stop of the host, every process cold, and the same again.
    viewer.ask("pointer 5 300 0")
    viewer.ask("quiet 1500")
    before = viewer.picture()
    viewer.close()
    assert host.stop() == 0
    for name in ("tanmatsu-vmm", "tanmatsu-display", "tanmatsu-auth", "tanmatsu-hostd"):
        assert not host.processes(name), "%s runs on after the host was stopped" % name
    host.start()
    viewer = host.login("alice")
    viewer.ask("quiet 1500")
    box = before.difference(viewer.picture(), clock_area(before.width, before.height))
    assert box is None, "the picture changed in %s over a restart of the host" % (box,)
    assert os.path.isdir(host.state)
print("ok")
