"""Socket activation: the first connection starts the daemon, and the sockets that systemd made outlive it."""

import os
import shutil
import signal
import subprocess

from host import BUILD, Host, need_kvm, skip, wait_for

need_kvm()
if not shutil.which("systemd-socket-activate"):
    skip("no systemd-socket-activate here")

host = Host(users=("alice",))
activate = None
try:
    host.runtime.mkdir(mode=0o755)
    log = open(host.folder / "hostd.log", "ab")
    activate = subprocess.Popen(
        ["systemd-socket-activate", "-l", host.address, "-l", host.control, BUILD / "hostd/tanmatsu-hostd", "--config",
         host.config, "--libexec", host.libexec()], stdout=log, stderr=log)
    wait_for(host.control.exists, "the activated socket")
    assert not host.processes("tanmatsu-vmm")

    # The first viewer starts the daemon, which serves it.
    viewer = host.login("alice")
    host.wait_state("alice", "active")
    viewer.close()

    # What systemd made stays when the daemon stops.
    activate.send_signal(signal.SIGTERM)
    assert activate.wait(30) == 0
    activate = None
    assert host.control.exists(), "the daemon removed a socket that systemd made"
    assert not os.path.exists(host.rfb_socket), "the daemon left its own socket behind"
finally:
    if activate:
        activate.kill()
        activate.wait()
    host.close()
print("ok")
