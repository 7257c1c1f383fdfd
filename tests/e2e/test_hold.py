"""A desktop that is held stays when its viewer has gone, and is suspended when the command that held it has ended."""

import os
import subprocess

from desk import EDITOR, wait_ready
from host import BUILD, Host, need_kvm, wait_for

need_kvm()

with Host(desktop=dict(EDITOR, disconnect_grace="0s")) as host:
    viewer = host.login("alice")
    wait_ready(host, "alice")
    reader, writer = os.pipe()
    held = subprocess.Popen([BUILD / "client/tanmatsu", "--control", host.control, "hold", "alice", "a long compile", "--",
                             "sh", "-c", "cat; exit 5"], stdin=reader)
    os.close(reader)
    wait_for(lambda: host.session("alice")["holds"], "the hold is taken")
    viewer.close()
    # The grace time is none: a desktop that nobody held would be saved.
    wait_for(lambda: host.session("alice")["reason"] == "It is held.", "it stays because it is held")
    session = host.session("alice")
    assert session["state"] == "detached" and session["holds"][0]["reason"] == "a long compile", session
    assert "a long compile" in host.tanmatsu("status", "alice").text
    assert "held: a long compile" in host.tanmatsu("list").text
    os.close(writer)
    assert held.wait(30) == 5
    assert host.wait_state("alice", "saved")["holds"] == []
    log = host.tanmatsu("logs", "alice").text
    assert "held by" in log and "no longer held by" in log, log

    # Whatever ends the command that holds, ends the hold; and somebody else may not hold.
    viewer = host.login("alice")
    host.wait_state("alice", "active")
    assert host.tanmatsu("hold", "nobody-here", "reason", "--", "true", check=False).returncode == 4
    held = subprocess.Popen([BUILD / "client/tanmatsu", "--control", host.control, "hold", "alice", "forever", "--", "sleep",
                             "600"])
    wait_for(lambda: host.session("alice")["holds"], "the hold is taken again")
    viewer.close()
    wait_for(lambda: host.session("alice")["reason"] == "It is held.", "it stays because it is held")
    held.kill()
    held.wait()
    host.wait_state("alice", "saved")
print("ok")
