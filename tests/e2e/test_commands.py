"""The `tanmatsu` command on a real host: every operation, its exit code, its JSON, and that it does what it says."""

import json
import os
import re
import select
import shutil
import subprocess

from desk import EDITOR, TERMINAL, console, wait_console, wait_ready
from host import BUILD, Host, alive, need_kvm, need_programs, wait_for
from pictures import Picture

need_kvm()
need_programs("convert")


def code(host, *arguments):
    return host.tanmatsu(*arguments, check=False).returncode


with Host(desktop=EDITOR) as host:
    # Nothing runs yet.
    assert host.tanmatsu("list", json_output=True)["sessions"] == []
    assert code(host, "status", "nobody-there") == 4
    assert code(host, "frobnicate") == 2
    assert code(host, "suspend", "--no-such-option", "alice") == 2

    # start boots a desktop without a viewer.
    session = host.tanmatsu("start", "alice", json_output=True)["session"]
    pid = session["pid"]
    assert alive(pid)
    wait_ready(host, "alice")

    # type, seen by the guest and on the screen.
    png = host.folder / "before.png"
    host.tanmatsu("screenshot", "alice", png)
    before = Picture.load_png(png)
    host.tanmatsu("type", "alice", "Hello, World! ~#")
    wait_console(host, "alice", "key: ")
    host.tanmatsu("screenshot", "alice", png)
    wait_for(lambda: (host.tanmatsu("screenshot", "alice", png), Picture.load_png(png).difference(before))[1],
             "the text on the screen")

    # suspend and resume.
    result = host.tanmatsu("suspend", "alice", json_output=True)
    assert result["ram_bytes"] > 0 and result["session"]["state"] == "saved", result
    wait_for(lambda: not alive(pid) if os.path.exists("/proc/%d" % pid) else True, "the VMM ends")
    assert code(host, "type", "alice", "x") == 3, "typing into a suspended desktop"
    host.tanmatsu("screenshot", "alice", png)
    assert Picture.load_png(png).difference(before), "the picture of a suspended desktop is its last frame"
    result = host.tanmatsu("resume", "alice", json_output=True)
    assert result["session"]["pid"] and result["session"]["resumes"] == 1, result

    # stop: the guest hears its power button.
    host.tanmatsu("stop", "alice", timeout=90)
    assert host.session("alice")["state"] == "off"
    assert "tanmatsu-demo: poweroff" in console(host, "alice")
    assert code(host, "suspend", "alice") == 3

    # kill: at once.
    host.tanmatsu("start", "alice")
    host.tanmatsu("kill", "alice")
    assert host.session("alice")["state"] in ("off", "failed")
    assert not host.processes("tanmatsu-vmm")

    # What is printed for people.
    table = host.tanmatsu("list").text
    assert "SESSION" in table.upper() and "alice" in table, table
    assert "alice" in host.tanmatsu("status", "alice").text
    assert "BEGIN CERTIFICATE" in host.tanmatsu("cert").text
    checks = host.tanmatsu("--json", "doctor", check=False)
    assert "kvm" in checks.text.lower(), checks.text

    # Another user of the host neither sees nor steers it.
    if os.geteuid() == 0:
        for folder in (host.folder, host.runtime):
            folder.chmod(0o755)
        # The build may lie where only its owner may go.
        command = shutil.copy(BUILD / "client/tanmatsu", host.folder / "tanmatsu")
        stranger = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", command, "--control", host.control]
        result = subprocess.run(stranger + ["status", "alice"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert result.returncode == 77, (result.returncode, result.stderr)
        result = subprocess.run(stranger + ["screenshot", "alice", "/dev/null"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, check=False)
        assert result.returncode == 77, (result.returncode, result.stderr)
        listed = subprocess.run(stranger + ["--json", "list"], stdout=subprocess.PIPE, check=True).stdout
        assert json.loads(listed)["sessions"] == [], listed

    # attach: a socket for any viewer, without a login.
    attach = subprocess.Popen([BUILD / "client/tanmatsu", "--control", host.control, "attach", "alice"],
                              stdout=subprocess.PIPE)
    path = None
    while not path:
        line = attach.stdout.readline().decode()
        assert line, "attach printed no socket"
        path = re.search(r"(/\S+\.sock)", line)
    viewer = host.probe(address=path.group(1))
    assert viewer.connect()
    viewer.ask("frame")
    host.wait_state("alice", "active")
    viewer.close()
    attach.wait(10)

# console: the serial port as it is written, in a pipe; the second one takes the first one's place.
with Host(desktop=TERMINAL) as host:
    def open_console():
        return subprocess.Popen([BUILD / "client/tanmatsu", "--control", host.control, "console", "alice"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read_until(port, text):
        got = b""
        while text not in got:
            piece = os.read(port.stdout.fileno(), 4096)
            assert piece, "the console ended with %r" % got
            got += piece

    host.tanmatsu("start", "alice")
    wait_ready(host, "alice")
    first = open_console()
    # It is open when something typed afterwards comes out of it.
    wait_for(lambda: (host.tanmatsu("type", "alice", "x"), select.select([first.stdout], [], [], 0.5)[0])[1],
             "the console is open")
    host.tanmatsu("type", "alice", "\nserial hello\n")
    read_until(first, b"\nhello\r\n")
    first.stdin.write(b"nobody reads this in the demo\n")
    first.stdin.flush()
    second = open_console()
    read_until(first, b"another console was opened")
    assert first.wait(10) == 0
    host.tanmatsu("type", "alice", "serial again\n")
    read_until(second, b"\nagain\r\n")
    wait_console(host, "alice", "\nagain")  # the log goes on beside the console
    if os.geteuid() == 0:
        for folder in (host.folder, host.runtime):
            folder.chmod(0o755)
        command = shutil.copy(BUILD / "client/tanmatsu", host.folder / "tanmatsu")
        result = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", command, "--control",
                                 host.control, "console", "alice"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=10, check=False)
        assert result.returncode == 77, (result.returncode, result.stderr)
    host.tanmatsu("suspend", "alice")
    assert second.wait(10) == 0, "it ends with the virtual machine"
    assert code(host, "console", "alice") == 3
    assert code(host, "console", "nobody-there") == 4

with Host() as host:
    host.stop()
    result = host.tanmatsu("list", check=False)
    assert result.returncode == 1 and "tanmatsu-hostd" in result.error_text, result.error_text
print("ok")
