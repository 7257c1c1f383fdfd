"""`tanmatsu connect` through a real sshd on loopback: the identity is the one that sshd established, no second password."""

import getpass
import os
import shutil
import subprocess
import tempfile

from host import BUILD, Host, free_port, need_kvm, need_programs, skip, wait_for
from viewers import Probe, Xvfb

need_kvm()
need_programs("ssh", "ssh-keygen", "xtigervncviewer", "Xvfb", "xdotool")
if not os.path.exists("/usr/sbin/sshd"):
    skip("no sshd here")


class Sshd:
    """An sshd of the test's own, with its own keys, on a loopback port."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.key = folder / "client"
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        authorized = folder / "authorized_keys"
        shutil.copy(folder / "client.pub", authorized)
        config = folder / "sshd_config"
        config.write_text("""ListenAddress 127.0.0.1:%d
HostKey %s
AuthorizedKeysFile %s
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
AllowStreamLocalForwarding yes
Subsystem sftp internal-sftp
""" % (self.port, folder / "host", authorized))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config],
                                        stderr=open(folder / "sshd.log", "wb"))
        wait_for(lambda: b"listening" in (folder / "sshd.log").read_bytes(), "sshd listens")

    def options(self):
        return ["-p", str(self.port), "-i", str(self.key), "-o", "UserKnownHostsFile=/dev/null", "-o",
                "StrictHostKeyChecking=no", "-o", "IdentitiesOnly=yes", "-F", "/dev/null"]

    def close(self):
        self.process.terminate()
        self.process.wait(10)


user = getpass.getuser()
with Host(users=("alice",)) as host:
    sshd = Sshd(host.folder)
    xvfb = Xvfb()
    connect = None
    try:
        # Plain `ssh -L`, with a viewer on the forwarded socket.
        forwarded = tempfile.mkdtemp(prefix="tanmatsu-ssh-") + "/rfb.sock"
        tunnel = subprocess.Popen(["ssh", "-N", *sshd.options(), "-L", "%s:%s" % (forwarded, host.rfb_socket),
                                   user + "@127.0.0.1"], stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(forwarded), "the forward")
        probe = Probe(BUILD / "tests/e2e/vncprobe", forwarded, log=host.folder / "vncprobe.log")
        assert probe.connect(), "refused through ssh -L"
        probe.ask("frame")
        session = host.wait_state(user, "active")
        assert session["viewers"][0]["peer"] == "unix", session
        probe.close()
        tunnel.terminate()
        tunnel.wait(10)

        # The command: ssh, forward and viewer in one.
        command = [BUILD / "client/tanmatsu", "connect", "--remote-socket", host.rfb_socket]
        for option in sshd.options():
            command.append("--ssh-option=" + option)
        connect = subprocess.Popen([str(c) for c in command + [user + "@127.0.0.1"]], env=xvfb.environment,
                                   stderr=subprocess.STDOUT, stdout=open(host.folder / "connect.log", "wb"))

        def desktop_window():
            if connect.poll() is not None:
                raise AssertionError((host.folder / "connect.log").read_text(errors="replace"))
            return xvfb.run("xdotool", "search", "--onlyvisible", "--class", "TigerVNC Viewer", check=False).strip()
        wait_for(desktop_window, "the viewer's window")
        host.wait_state(user, "active")
        connect.terminate()
        connect.wait(10)
        host.wait_state(user, "saved", "detached", timeout=30)
    finally:
        if connect and connect.poll() is None:
            connect.kill()
        xvfb.close()
        sshd.close()

    # No ssh on the other side: a clear error.
    result = host.tanmatsu("connect", "--ssh-option=-p", "--ssh-option=%d" % free_port(), "127.0.0.1", check=False)
    assert result.returncode == 1 and "ssh" in result.error_text, result.error_text
print("ok")
