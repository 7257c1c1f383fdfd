"""A Tanmatsu host of the test's own: a daemon with its state in a temporary folder, on loopback ports of its own."""

import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from viewers import Probe, TigerVNC, Xvfb

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TANMATSU_BUILD", SOURCE / "build/release"))
SKIP = 77


def skip(reason):
    """Ends the test as skipped; ctest shows the reason."""
    print("skipped: " + reason)
    sys.exit(SKIP)


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("/dev/kvm is missing or forbidden here")


def need_programs(*names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        raise AssertionError("not installed: %s (tools/install-deps --test)" % ", ".join(missing))


def wait_for(predicate, what, timeout=30, interval=0.05):
    """Polls what has no event to wait for; returns the first true value."""
    end = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (timeout, what))
        time.sleep(interval)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open("/proc/%d/stat" % pid) as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


class Host:
    """One daemon. Everything it starts is ended by close(), by pid."""

    def __init__(self, users=("alice", "bob"), memory=64, size="1280x720", options=None, desktop=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tanmatsu-e2e-"))
        self.state = self.folder / "state"
        self.runtime = self.folder / "run"
        self.port = free_port()
        self.passwords = {user: secrets.token_urlsafe(12) for user in users}
        self.process = None
        self.clients = []
        self.xvfb = None
        self.helper = subprocess.check_output(["id", "-un"], text=True).strip()
        for user, password in self.passwords.items():
            path = self.password_file(user)
            path.write_text(password + "\n")
            path.chmod(0o600)
            subprocess.run([SOURCE / "tools/lib/throwaway-user", self.folder / "pam", user, path], check=True,
                           stdout=subprocess.DEVNULL)
        self.write_config(memory, size, options or {}, desktop or {})

    # -- configuration and files

    @property
    def config(self):
        return self.folder / "tanmatsu.conf"

    @property
    def control(self):
        return self.runtime / "control.sock"

    @property
    def rfb_socket(self):
        return self.runtime / "rfb.sock"

    @property
    def ca(self):
        return self.state / "tls/ca.pem"

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def password_file(self, user):
        return self.folder / ("password-" + user)

    def write_config(self, memory, size, options, desktop):
        host = {"listen": self.address, "state": self.state, "runtime": self.runtime,
                "pam_service": "tanmatsu", "pam_confdir": self.folder / "pam"}
        desk = {"memory": "%dM" % memory, "size": size, "disconnect_grace": "1s"}
        host.update(options)
        desk.update(desktop)
        lines = ["[host]"] + ["%s = %s" % item for item in host.items()]
        lines += ["[desktop]"] + ["%s = %s" % item for item in desk.items()]
        self.config.write_text("\n".join(lines) + "\n")

    # -- the daemon

    def start(self, prefix=()):
        """`prefix` is a command that runs the daemon as its own, in a namespace for instance."""
        reader, writer = os.pipe()
        log = open(self.folder / "hostd.log", "ab")
        self.process = subprocess.Popen(
            [*prefix, BUILD / "hostd/tanmatsu-hostd", "--config", self.config, "--libexec", self.libexec(), "--ready-fd", str(writer)],
            pass_fds=[writer], stdout=log, stderr=log)
        os.close(writer)
        log.close()
        with os.fdopen(reader) as pipe:
            ready = pipe.readline()
        if not ready:
            raise AssertionError("the daemon did not start: " + self.log())
        return self

    def libexec(self):
        """The helper programs of a build tree lie in a folder each; the daemon wants them in one."""
        folder = self.folder / "libexec"
        if not folder.exists():
            folder.mkdir()
            for part, name in (("vmm", "vmm"), ("display", "display"), ("hostd", "auth")):
                (folder / ("tanmatsu-" + name)).symlink_to(BUILD / part / ("tanmatsu-" + name))
        return folder

    def log(self):
        path = self.folder / "hostd.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self, timeout=60):
        """SIGTERM: desktops are suspended, everything ends."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self):
        """SIGKILL to the daemon alone: desktops and viewers run on."""
        children = self.children(self.process.pid)
        self.process.kill()
        self.process.wait()
        return children

    @staticmethod
    def children(pid):
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
                return [int(child) for child in file.read().split()]
        except FileNotFoundError:
            return []

    def processes(self, name):
        """Pids of our programs of that name which belong to this host."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open("/proc/%s/cmdline" % entry, "rb") as file:
                        command = file.read().split(b"\0")
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if command[0].decode(errors="replace") == str(self.folder / "libexec" / name):
                    found.append(int(entry))
                elif name == "tanmatsu-hostd" and str(self.config).encode() in command:
                    # The broker is the monitor's program again, without the name of a configuration.
                    found += [int(entry)] + [child for child in self.children(int(entry)) if self.runs(child, name)]
        return found

    @staticmethod
    def runs(pid, name):
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as file:
                return os.path.basename(file.read().split(b"\0")[0]).decode() == name
        except (FileNotFoundError, ProcessLookupError):
            return False

    # -- the command

    def tanmatsu(self, *arguments, check=True, json_output=False, timeout=60):
        """Runs `tanmatsu`; with json_output returns what it printed, parsed."""
        command = [BUILD / "client/tanmatsu", "--control", self.control]
        command += (["--json"] if json_output else []) + list(arguments)
        result = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                timeout=timeout, check=False)
        if check and result.returncode:
            raise AssertionError("tanmatsu %s: %d: %s" % (" ".join(map(str, arguments)), result.returncode,
                                                          (result.stdout + result.stderr).decode(errors="replace")))
        if json_output:
            return json.loads(result.stdout)
        result.text = result.stdout.decode(errors="replace")
        result.error_text = result.stderr.decode(errors="replace")
        return result

    def session(self, user):
        """The session's object, or None."""
        result = self.tanmatsu("--json", "list", check=True)
        for session in json.loads(result.text)["sessions"]:
            if session["user"] == user:
                return session
        return None

    def wait_state(self, user, *states, timeout=30):
        def reached():
            session = self.session(user)
            return session if session and session["state"] in states else None
        return wait_for(reached, "%s is %s (%s)" % (user, " or ".join(states), (self.session(user) or {}).get("state")),
                        timeout)

    def wait_suspended(self, user, pid, timeout=30):
        """Until the desktop is on disk and its process is gone."""
        session = self.wait_state(user, "saved", timeout=timeout)
        wait_for(lambda: not os.path.exists("/proc/%d" % pid) or not alive(pid), "VMM %d ends" % pid)
        return session

    # -- viewers

    def probe(self, user=None, password_file=None, address=None):
        """A libvncclient viewer; connect() it."""
        unix = address is not None and str(address).startswith("/")
        probe = Probe(BUILD / "tests/e2e/vncprobe", address or self.address, None if unix else user,
                      None if unix else password_file or self.password_file(user), None if unix else self.ca,
                      self.folder / "vncprobe.log")
        self.clients.append(probe)
        return probe

    def login(self, user, **kwargs):
        """A libvncclient viewer that is logged in and sees the desktop."""
        probe = self.probe(user, **kwargs)
        assert probe.connect(), "login refused: " + (self.folder / "vncprobe.log").read_text(errors="replace")[-2000:]
        probe.ask("frame")
        return probe

    def tigervnc(self, user, password=None, options=()):
        if not self.xvfb:
            self.xvfb = Xvfb()
        viewer = TigerVNC(self.xvfb, "127.0.0.1::%d" % self.port, user, password or self.passwords[user], self.ca,
                          options, self.folder / "tigervnc.log")
        self.clients.append(viewer)
        return viewer

    # -- the end

    def close(self):
        for client in self.clients:
            client.close()
        if self.xvfb:
            self.xvfb.close()
        if self.process and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for name in ("tanmatsu-vmm", "tanmatsu-display", "tanmatsu-auth", "tanmatsu-hostd"):
            for pid in self.processes(name):
                os.kill(pid, signal.SIGKILL)
        if not os.environ.get("TANMATSU_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if error and not isinstance(error, SystemExit):
            sys.stderr.write("--- the daemon said:\n" + self.log()[-6000:])
        self.close()
