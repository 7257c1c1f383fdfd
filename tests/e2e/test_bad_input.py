"""Bad input at the door of the daemon: each gets a message with what, where and what to do, and nothing is lost."""

import json
import os
import pathlib
import signal
import socket
import subprocess

from desk import EDITOR, console, wait_console, wait_ready
from host import BUILD, Host, need_kvm, wait_for

need_kvm()


def refused(host, *words, config=None):
    """The daemon ends with an error that contains the words."""
    result = subprocess.run([BUILD / "hostd/tanmatsu-hostd", "--config", config or host.config, "--libexec", host.libexec()],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False)
    text = result.stdout.decode(errors="replace")
    assert result.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT), text
    for word in words:
        assert word in text, "%r is missing in: %s" % (word, text)
    return text


def damaged(host, name):
    """Flips a byte in the middle of the newest generation's file."""
    generations = sorted((host.state / "sessions/alice").glob("gen.*"), key=lambda p: int(p.name.split(".")[1]))
    path = generations[-1] / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


host = Host(desktop=EDITOR)
try:
    # Configuration: file, line, what is allowed.
    good = host.config.read_text()
    bad = host.folder / "bad.conf"
    bad.write_text(good + "\nmemory = plenty\nno_such_key = 1\n")
    text = refused(host, "bad.conf:", "memory", "no_such_key", config=bad)
    lines = good.count("\n")
    assert "bad.conf:%d" % (lines + 2) in text and "bad.conf:%d" % (lines + 3) in text, text
    refused(host, "missing.conf", config=host.folder / "missing.conf")
    for memory in ("0", "999999G"):
        bad.write_text(good.replace("memory = 64M", "memory = " + memory))
        refused(host, "memory", config=bad)

    # A taken port.
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", host.port))
        sock.listen()
        refused(host, str(host.port), "in use")

    # A bad certificate.
    garbage = host.folder / "garbage.pem"
    garbage.write_text("this is no certificate\n")
    bad.write_text(good.replace("[host]", "[host]\ncertificate = %s\nkey = %s" % (garbage, garbage)))
    refused(host, "garbage.pem", config=bad)

    # A stale socket and pid of a daemon that was killed, and a second daemon on the same state.
    host.start()
    refused(host, str(host.state))
    host.kill()
    wait_for(lambda: not host.processes("tanmatsu-hostd"), "the broker ends")
    host.start()

    # An image that is not a kernel.
    host.stop()
    image = host.folder / "not-a-kernel"
    image.write_bytes(b"\x7fELF" + bytes(range(256)) * 16)
    host.config.write_text(good.replace("[desktop]", "[desktop]\nkernel = %s" % image))
    host.start()
    result = host.tanmatsu("start", "bob", check=False)
    assert result.returncode == 1 and "kernel" in result.error_text.lower(), result.error_text
    host.stop()
    host.config.write_text(good)
    host.start()

    # The registry cannot say that the desktop runs: then it does not run.
    host.tanmatsu("start", "bob")
    wait_ready(host, "bob")
    host.tanmatsu("kill", "bob")
    wait_for(lambda: host.session("bob")["pid"] == 0, "bob's desktop is off")
    (host.state / "sessions/bob/manifest.json.new").mkdir()
    host.tanmatsu("start", "bob", check=False)
    session = host.wait_state("bob", "failed", timeout=20)
    assert "manifest" in session["reason"], session
    wait_for(lambda: host.session("bob")["pid"] == 0, "nothing of it runs")
    assert console(host, "bob").count("tanmatsu-demo: ready") == 1, console(host, "bob")
    (host.state / "sessions/bob/manifest.json.new").rmdir()
    host.tanmatsu("start", "bob")
    wait_console(host, "bob", "tanmatsu-demo: ready", 2)
    assert json.loads((host.state / "sessions/bob/manifest.json").read_text())["running"]
    host.tanmatsu("kill", "bob")

    # A damaged snapshot: set aside, said, a cold boot offered; the daemon and the other desktops go on.
    viewer = host.login("alice")
    wait_ready(host, "alice")
    viewer.close()
    host.wait_state("alice", "saved")
    damaged(host, "ram")
    viewer = host.probe("alice")
    assert viewer.connect()
    session = host.wait_state("alice", "failed", "active", timeout=20)
    assert session["state"] == "failed" and "damaged" in session["last_error"], session
    aside = list((host.state / "sessions/alice").glob("*damaged*"))
    assert aside, os.listdir(host.state / "sessions/alice")
    viewer.ask("frame")
    viewer.ask("key ff0d 1")
    viewer.ask("key ff0d 0")
    host.wait_state("alice", "active")
    viewer.close()
    host.wait_state("alice", "saved")

    assert pathlib.Path(host.ca).exists()
finally:
    host.close()


def full_disk():
    """A full disk while suspending: the desktop goes on running; with space again it is suspended."""
    host = Host(users=("alice",), desktop=EDITOR)
    host.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", host.state], check=True)
    try:
        host.start()
        viewer = host.login("alice")
        wait_ready(host, "alice")
        pid = host.session("alice")["pid"]
        result = host.tanmatsu("suspend", "alice", check=False)
        assert result.returncode == 1, "suspending on a full disk: %d" % result.returncode
        assert "space" in result.error_text.lower(), result.error_text
        session = host.session("alice")
        assert session["pid"] == pid and session["state"] == "active", session
        viewer.ask("echo 61")
        assert not list((host.state / "sessions/alice").glob("gen.*")), "remains of the snapshot"
        subprocess.run(["mount", "-o", "remount,size=200m", host.state], check=True)
        host.tanmatsu("suspend", "alice")
        host.wait_suspended("alice", pid)
        viewer.close()
        host.stop()
    finally:
        host.close()
        subprocess.run(["umount", host.state], check=False)


def late_damage():
    """A bit is flipped in a layer so large that it is looked at while the desktop runs already: it ends there and then."""
    options = dict(EDITOR, command_line=EDITOR["command_line"] + " demo.pattern=48")
    with Host(users=("alice",), memory=128, desktop=options) as host:
        viewer = host.login("alice")
        wait_ready(host, "alice")
        viewer.close()
        host.wait_state("alice", "saved")
        damaged(host, "ram")
        viewer = host.probe("alice")
        assert viewer.connect()
        session = host.wait_state("alice", "failed", timeout=20)
        assert "damaged" in session["last_error"], session
        wait_for(lambda: list((host.state / "sessions/alice").glob("*damaged*")), "the snapshot is set aside")
        viewer.ask("frame")
        viewer.ask("key ff0d 1")
        viewer.ask("key ff0d 0")
        wait_console(host, "alice", "tanmatsu-demo: ready", 2)


late_damage()
def without_kvm():
    """No /dev/kvm: said when a desktop is to be started; the daemon and the viewer stay."""
    script = 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 && exec "$@"'
    host = Host(users=("alice",))
    try:
        host.start(prefix=["unshare", "-m", "sh", "-c", script, "sh"])
        result = host.tanmatsu("start", "alice", check=False)
        assert result.returncode == 1 and "/dev/kvm" in result.error_text, result.error_text
        viewer = host.probe("alice")
        assert viewer.connect(), "the login depends on KVM"
        viewer.ask("frame")
        session = host.wait_state("alice", "failed", "off")
        assert "/dev/kvm" in session["last_error"], session
        viewer.close()
    finally:
        host.close()


if os.geteuid() == 0:
    full_disk()
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        without_kvm()
print("ok")
