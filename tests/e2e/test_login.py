"""Right and wrong passwords in three viewers that are not ours; two users have a desktop each; nobody sees the other's."""

import subprocess

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


def gvnccapture(host):
    """It has no way to state a CA or a user on its command line: it takes the session's Unix socket."""
    shot = host.folder / "gvnccapture.png"
    result = subprocess.run(["gvnccapture", "--quiet", "127.0.0.1:%d" % (host.port - 5900), str(shot)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                            check=False)
    assert result.returncode != 0, "gvnccapture got in without a password"


with Host() as host:
    alice = libvncclient(host)
    bob = tigervnc(host)
    gvnccapture(host)

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
