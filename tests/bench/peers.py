"""The peers: qemu-system-x86_64 with KVM behind its own VNC server, running a boot sector that echoes keys."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from host import BUILD, free_port, wait_for  # noqa: E402
from viewers import Probe, ViewerError  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


def private_kib(pid):
    """(PSS, private) of a process in KiB."""
    pss = private = 0
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            field = line.split()
            if field[0] == "Pss:":
                pss = int(field[1])
            elif field[0] in ("Private_Clean:", "Private_Dirty:"):
                private += int(field[1])
    return pss, private


class Qemu:
    """One virtual machine with a monitor socket; `fill` MiB of its memory are not zero."""

    def __init__(self, memory=64, fill=0):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tanmatsu-bench-"))
        image = self.folder / "echo.bin"
        subprocess.run(["as", "--32", "--defsym", "FILL_MIB=%d" % fill, "-o", self.folder / "echo.o", HERE / "echo.S"], check=True)
        # Linked, since the sector names addresses of its own.
        subprocess.run(["ld", "-m", "elf_i386", "-Ttext=0x7c00", "--oformat", "binary", "-o", image, self.folder / "echo.o"],
                       check=True)
        with open(image, "r+b") as file:
            file.truncate(1 << 20)
        self.memory = memory
        self.image = image
        self.process = None

    def start(self, *extra):
        while True:
            self.port = free_port()
            if self.port >= 5900:
                break
        self.qmp_path = self.folder / ("qmp-%d" % self.port)
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-enable-kvm", "-m", str(self.memory), "-drive",
             "file=%s,format=raw,if=ide" % self.image, "-vga", "std", "-net", "none", "-display",
             "vnc=127.0.0.1:%d" % (self.port - 5900), "-qmp", "unix:%s,server=on,wait=off" % self.qmp_path, *extra],
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "qemu.log", "ab"))
        self.qmp = socket.socket(socket.AF_UNIX)
        # Its socket is there a moment before it listens.
        wait_for(lambda: self.qmp.connect_ex(str(self.qmp_path)) == 0, "QEMU's monitor", interval=0.005)
        self.stream = self.qmp.makefile("rw")
        self.stream.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "return" in answer or "error" in answer:
                return answer

    def probe(self):
        probe = Probe(BUILD / "tests/e2e/vncprobe", "127.0.0.1:%d" % self.port, log=self.folder / "probe.log")
        assert probe.connect()
        return probe

    def settled_probe(self):
        """A viewer of a guest that answers keys. libvncclient cannot follow QEMU's mode changes: it is connected anew."""
        end = time.monotonic() + 90
        while time.monotonic() < end:
            probe = self.probe()
            try:
                probe.ask("frame")
                probe.ask("quiet 500")
                for _ in range(3):
                    probe.ask("echo 61")
                return probe
            except ViewerError:
                probe.close()
        raise AssertionError("QEMU's guest answers no key")

    def migrate(self, path):
        """Seconds until the machine's state is in the file, the guest standing still all the time."""
        self.command("stop")
        self.command("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        start = time.monotonic()
        self.command("migrate", uri="exec:cat>%s" % path)
        while self.command("query-migrate")["return"].get("status") != "completed":
            time.sleep(0.002)
        return time.monotonic() - start

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
