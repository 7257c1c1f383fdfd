"""tools/quickstart as a new user runs it: what it prints works, Ctrl-C suspends, the next one finds the desktop again."""

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

from host import BUILD, SOURCE, need_kvm, wait_for
from pictures import Picture
from viewers import Probe

need_kvm()
state = pathlib.Path(tempfile.mkdtemp(prefix="tanmatsu-quickstart-"))


class Quickstart:
    """The script as a child; `ready` holds the last line's fields."""

    def __init__(self, *options, prefix=()):
        self.process = subprocess.Popen([*prefix, str(SOURCE / "tools/quickstart"), "--state", str(state), *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        start_new_session=True, env=dict(os.environ, TANMATSU_BUILD=str(BUILD)))
        self.text = ""
        end = time.monotonic() + 120
        while not re.search(r"^ready .*\n", self.text, re.M):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                self.end()
                raise AssertionError("quickstart is not ready: " + self.text)
            self.text += data.decode(errors="replace")
        last = self.text.strip().split("\n")[-1]
        assert last.startswith("ready "), "the last line is for scripts: " + last
        self.ready = dict(field.split("=", 1) for field in last.split()[1:])
        assert set(self.ready) >= {"vnc", "user", "password-file", "ca", "control"}, self.ready

    def login(self):
        probe = Probe(BUILD / "tests/e2e/vncprobe", self.ready["vnc"], self.ready["user"], self.ready["password-file"],
                      self.ready["ca"])
        assert probe.connect(), "the printed login is refused"
        probe.ask("frame")
        probe.ask("quiet 1500")
        return probe

    def end(self):
        """Ctrl-C."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)


try:
    first = Quickstart("--size", "1024x768", "--memory", "96")
    for word in ("vncviewer", first.ready["user"], "screenshot", "Ctrl-C"):
        assert word in first.text, "%r is not told: %s" % (word, first.text)
    viewer = first.login()
    assert viewer.ask("size") == "1024 768"
    assert viewer.picture().colours() > 50
    viewer.ask("pointer 3 300 0")
    viewer.ask("type hello")
    viewer.ask("quiet 1500")
    before = viewer.picture()

    # The screenshot command as printed, pasted into a shell.
    command = [line.strip() for line in first.text.split("\n") if " screenshot " in line][0]
    command = command[command.index("/"):] if not command.startswith(("tanmatsu", "build", ".")) else command
    shot = re.search(r"(\S+\.png)", command).group(1)
    subprocess.run(command, shell=True, check=True, cwd=SOURCE)
    assert Picture.load_png(SOURCE / shot).colours() > 50
    os.unlink(SOURCE / shot)

    first.end()
    viewer.close()
    wait_for(lambda: subprocess.run(["grep", "-lsaF", str(state), *[
        "/proc/%s/cmdline" % p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]],
        stdout=subprocess.PIPE, check=False).stdout == b"", "everything that quickstart started has ended", 20)

    second = Quickstart("--size", "1024x768", "--memory", "96")
    viewer = second.login()
    box = before.difference(viewer.picture(), [(512, 0, 1024, 40), (512, 720, 1024, 768)])
    viewer.close()
    second.end()
    assert box is None, "the desktop came back different in %s" % (box,)
finally:
    shutil.rmtree(state, ignore_errors=True)
print("ok")
