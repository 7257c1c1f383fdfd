"""Viewers that are not ours, as the tests drive them: TigerVNC under Xvfb, gvnccapture, and vncprobe (libvncclient)."""

import os
import re
import select
import shutil
import subprocess
import tempfile
import time

from pictures import Picture


class ViewerError(AssertionError):
    """A viewer did not do what it was told, with what it said."""


class Probe:
    """vncprobe as a child process: one command a line, one answer a line."""

    def __init__(self, program, address, user=None, password_file=None, ca=None, log=None):
        command = [program]
        if user:
            command += ["--user", user]
        if password_file:
            command += ["--password-file", str(password_file)]
        if ca:
            command += ["--ca", str(ca)]
        self.log = open(log, "ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(command + [str(address)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log)
        self.buffer = b""
        self.connect_us = None

    def line(self, timeout=60):
        """The next line of output, without its newline; '' at the end of the program."""
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise ViewerError("vncprobe is silent for %d s" % timeout)
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                rest, self.buffer = self.buffer, b""
                return rest.decode()
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def connect(self, timeout=60):
        """True when the login was accepted; False when it was refused."""
        line = self.line(timeout)
        if line.startswith("connected "):
            self.connect_us = int(line.split()[1])
            return True
        self.process.wait(10)
        return False

    def ask(self, command, timeout=60):
        """Sends a command and returns the answer behind 'ok'; raises on any other."""
        try:
            self.process.stdin.write(command.encode("latin-1") + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self.line(timeout)
        if not answer.startswith("ok"):
            raise ViewerError("vncprobe: %s: %s" % (command, answer or "ended"))
        return answer[3:]

    def gone(self, seconds):
        """True if the server closes the connection within the time."""
        try:
            self.process.stdin.write(b"gone %d\n" % (seconds * 1000))
            self.process.stdin.flush()
        except BrokenPipeError:
            return True
        return self.line(seconds + 10) in ("closed", "")

    def picture(self):
        """What the viewer sees now."""
        handle, path = tempfile.mkstemp(suffix=".ppm")
        os.close(handle)
        try:
            self.ask("shot " + path)
            return Picture.load(path)
        finally:
            os.unlink(path)

    def wait_picture(self, predicate, what, timeout=30):
        """Looks at every new picture until the predicate holds."""
        end = time.monotonic() + timeout
        while True:
            picture = self.picture()
            if predicate(picture):
                return picture
            if time.monotonic() > end:
                picture.save("/tmp/tanmatsu-e2e-failed.ppm")
                raise ViewerError("never seen within %d s: %s" % (timeout, what))
            try:
                self.ask("change 500")
            except ViewerError as error:
                if "timeout" not in str(error):
                    raise

    def close(self):
        """Leaves as a person does who closes the window."""
        if self.process.poll() is None:
            try:
                self.process.stdin.write(b"quit\n")
                self.process.stdin.close()
            except (BrokenPipeError, OSError):
                pass
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def vanish(self):
        """Leaves as a terminal does that loses power: no farewell."""
        self.process.kill()
        self.process.wait()


class Xvfb:
    """An X server without a screen, for viewers that want one."""

    def __init__(self, size="1400x1000x24"):
        reader, writer = os.pipe()
        self.process = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
                                        pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            self.display = ":" + pipe.readline().strip()
        self.environment = dict(os.environ, DISPLAY=self.display)

    def run(self, *command, check=True, timeout=30):
        result = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=timeout, check=False)
        if check and result.returncode:
            raise ViewerError("%s: %s" % (" ".join(command), result.stdout.decode(errors="replace")))
        return result.stdout.decode(errors="replace")

    def screenshot(self, path):
        self.run("import", "-window", "root", str(path))

    def close(self):
        self.process.terminate()
        self.process.wait(10)


class TigerVNC:
    """xtigervncviewer in an Xvfb, steered with xdotool."""

    def __init__(self, xvfb, address, user=None, password=None, ca=None, options=(), log=None):
        self.xvfb = xvfb
        self.home = tempfile.mkdtemp(prefix="tigervnc-")
        environment = dict(xvfb.environment, HOME=self.home)
        if user is not None:
            environment["VNC_USERNAME"] = user
            environment["VNC_PASSWORD"] = password
        command = ["xtigervncviewer", "-AlertOnFatalError=0", "-ReconnectOnError=0", "-DotWhenNoCursor=0"]
        if ca:
            command.append("-X509CA=%s" % ca)
        self.log_path = log or os.path.join(self.home, "log")
        with open(self.log_path, "ab") as log_file:
            self.process = subprocess.Popen(command + list(options) + [str(address)], env=environment,
                                            stdout=log_file, stderr=log_file)

    def window(self, timeout=20):
        """The viewer's desktop window; raises with the viewer's log when there is none."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            found = self.xvfb.run("xdotool", "search", "--onlyvisible", "--class", "TigerVNC Viewer", check=False).split()
            names = [(w, self.xvfb.run("xdotool", "getwindowname", w, check=False).strip()) for w in found
                     if w.isdigit()]
            desktops = [w for w, name in names if name.endswith("TigerVNC")]
            if desktops:
                return desktops[-1]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise ViewerError("TigerVNC showed no desktop: " + self.said())

    def windows(self):
        """Names of all its windows."""
        found = self.xvfb.run("xdotool", "search", "--onlyvisible", "--class", "TigerVNC Viewer", check=False).split()
        return [self.xvfb.run("xdotool", "getwindowname", w, check=False).strip() for w in found if w.isdigit()]

    def said(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def type(self, text, window=None):
        window = window or self.window()
        self.xvfb.run("xdotool", "windowfocus", "--sync", window, check=False)
        self.xvfb.run("xdotool", "type", "--delay", "40", text)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def port_of(address):
    return int(re.search(r":(\d+)$", address).group(1))
