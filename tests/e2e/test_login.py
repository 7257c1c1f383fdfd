"""Right and wrong passwords in three viewers that are not ours; two users have a desktop each; nobody sees the other's."""

import os
import pty
import pwd
import shutil
import subprocess
import termios

from host import Host, need_kvm, need_programs, wait_for
from pictures import Picture
from viewers import ViewerError

need_kvm()
need_programs("xtigervncviewer", "Xvfb", "xdotool", "gvnccapture", "import", "convert")


def libvncclient(host):
    viewer = host.login("alice")
    viewer.ask("quiet 1000")
    picture = viewer.picture()
    assert picture.colours() > 50, "the desktop has only %d colours" % picture.colours()
    wrong = host.folder / "wrong"
    wrong.write_text("not the password\n")
    refused = host.probe("alice", password_file=wrong)
    assert not refused.connect(), "a wrong password was accepted"
    unknown = host.probe("mallory", password_file=wrong)
    assert not unknown.connect(), "an unknown user was accepted"
    said = (host.folder / "vncprobe.log").read_text(errors="replace")
    assert said.count("VNC authentication failed") >= 2 or said.lower().count("fail") >= 2, said[-2000:]
    return viewer


def tigervnc(host):
    wrong = host.tigervnc("bob", password="nonsense")
    try:
        wrong.window(timeout=8)
        raise AssertionError("TigerVNC showed a desktop for a wrong password")
    except ViewerError:
        pass
    assert "uthentication" in wrong.said(), wrong.said()
    wrong.close()
    viewer = host.tigervnc("bob")
    window = viewer.window()
    wait_for(lambda: host.session("bob")["state"] == "active", "bob's desktop is active")
    shot = host.folder / "tigervnc.png"
    wait_for(lambda: (host.xvfb.run("import", "-window", window, str(shot)), Picture.load_png(shot).colours() > 50)[1],
             "TigerVNC shows the desktop")
    return viewer


def run_gvnccapture(host, password, shot):
    """
    gvnccapture asks for name and password on its terminal, and looks for the CA below the home folder of the passwd file:
    it gets a home of its own there, in a mount namespace. Returns its exit code.
    """
    home = host.folder / "home"
    (home / ".pki/CA").mkdir(parents=True, exist_ok=True)
    shutil.copy(host.ca, home / ".pki/CA/cacert.pem")
    script = 'mount --bind "$1" "$2" && cd / && exec gvnccapture --quiet "$3" "$4"'
    terminal, child = pty.openpty()
    process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script, "sh", home, pwd.getpwuid(os.getuid()).pw_dir,
         "localhost:%d" % (host.port - 5900), shot], stdin=child, stdout=child, stderr=child, start_new_session=True)
    os.close(child)
    answers = {b"sername": b"alice", b"assword": password.encode()}
    said = b""
    try:
        while True:
            said += os.read(terminal, 4096)
            for question in [q for q in answers if q in said]:
                if question == b"assword":
                    # What is typed before it has switched echo off is thrown away.
                    wait_for(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO, "a prompt without echo")
                os.write(terminal, answers.pop(question) + b"\n")
                said = b""
    except OSError:
        pass  # how a terminal says that nobody is at its other end
    os.close(terminal)
    return process.wait(60)


def gvnccapture(host):
    """Right and wrong, where a mount namespace can be had."""
    shot = host.folder / "gvnccapture.png"
    result = subprocess.run(["gvnccapture", "--quiet", "127.0.0.1:%d" % (host.port - 5900), str(shot)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                            check=False)
    assert result.returncode != 0, "gvnccapture got in without a password"
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        print("note: no mount namespace here, gvnccapture's logins are left out")
        return
    assert run_gvnccapture(host, "not the password", shot) != 0, "gvnccapture got in with a wrong password"
    assert not shot.exists()
    assert run_gvnccapture(host, host.passwords["alice"], shot) == 0, "gvnccapture was refused"
    assert Picture.load_png(shot).colours() > 50


with Host() as host:
    gvnccapture(host)
    alice = libvncclient(host)
    bob = tigervnc(host)

    sessions = {s["user"]: s for s in host.tanmatsu("list", json_output=True)["sessions"]}
    assert sessions["alice"]["pid"] != sessions["bob"]["pid"], sessions
    assert len(host.processes("tanmatsu-vmm")) == 2, "two users, two virtual machines"

    # What `tanmatsu screenshot` writes is what the viewer sees.
    alice.ask("pointer 300 300 0")
    alice.ask("quiet 1500")
    png = host.folder / "alice.png"
    host.tanmatsu("screenshot", "alice", png)
    box = alice.picture().difference(Picture.load_png(png))
    assert box is None, "screenshot and viewer differ in %s" % (box,)
print("ok")
