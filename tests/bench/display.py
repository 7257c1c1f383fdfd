"""
The display engine in figures: the same content played into our viewer's process, into TigerVNC's Xvnc and into a plain
libvncserver program, change by change, with one viewer that decodes everything and looks whether the change has arrived.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

from report import Report, arguments, median

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from host import BUILD, free_port, need_programs  # noqa: E402

RUN = BUILD / "tests/bench/display_run"
SIZES = ((1280, 720), (1920, 1080))
# Content, the viewer's quality level (-1: nothing may be lost), changes in a round.
CONTENTS = (("typing", 8, 200), ("scroll", 8, 60), ("drag", 8, 60), ("page", 8, 30), ("page", -1, 30), ("slides", 8, 15),
            ("window-video", 6, 60), ("video", 6, 30), ("idle", 8, 1))


class Xvnc:
    """TigerVNC's server with its defaults, without login, on loopback."""

    def __init__(self, width, height):
        while True:
            self.port = free_port()
            if self.port >= 5900:
                break
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            ["Xtigervnc", "-displayfd", str(writer), "-geometry", "%dx%d" % (width, height), "-depth", "24",
             "-SecurityTypes", "None", "-localhost", "-rfbport", str(self.port), "-ac", "-AlwaysShared", "-noreset"],
            pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            self.display = ":" + pipe.readline().strip()

    def close(self):
        self.process.terminate()
        self.process.wait(20)


def play(server, content, quality, changes, size):
    """One round: a dictionary of figures, or None when the server never showed a change."""
    command = [str(RUN), server, content, str(size[0]), str(size[1]), str(changes), str(quality)]
    environment = dict(os.environ)
    xvnc = None
    if server == "xvnc":
        xvnc = Xvnc(*size)
        time.sleep(0.3)
        command += [str(xvnc.port), str(xvnc.process.pid)]
        environment["DISPLAY"] = xvnc.display
    try:
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180,
                                check=False)
    finally:
        if xvnc:
            xvnc.close()
    if result.returncode:
        sys.stderr.write("%s: %s" % (" ".join(command[1:]), result.stderr.decode(errors="replace")))
        return None
    return json.loads(result.stdout.decode().splitlines()[-1])


def rounds(server, content, quality, changes, size, count):
    played = [play(server, content, quality, changes, size) for _ in range(count)]
    if None in played:
        return {}
    return {name: median([one[name] for one in played]) for name in played[0]}


def target(content, quality, figure, peers):
    """What is to be reached, from the peers of the same run; the better peer counts."""
    values = [peer[figure] for peer in peers if peer]
    best = min(values) if values else None
    if figure == "p99_us":
        return 500 if content in ("typing", "scroll") else None
    if best is None or figure == "rate":
        return None
    if content == "scroll":
        return best / {"bytes": 30, "cpu_us": 8}.get(figure, 1)
    if content == "page" and quality < 0:
        return best / 3 if figure == "cpu_us" else None
    if content == "page":
        return best * {"bytes": 0.55, "cpu_us": 0.6}.get(figure, 1)
    if content in ("video", "window-video"):
        return best * {"bytes": 0.87, "cpu_us": 0.8}.get(figure, 1)
    if content == "drag":
        return best
    if content == "typing" and figure == "p50_us":
        return min(peers[0].get(figure, 0) / 40, peers[1].get(figure, 0) / 25)
    return None


def add(report, content, quality, size, mine, peers):
    label = "%s%s, %dx%d" % (content, " (lossless)" if quality < 0 else "", *size)
    if content == "idle":
        figures = (("bytes", "bytes in 2 s", "B", 1, 0), ("cpu_us", "CPU in 2 s", "us", 1, 2000))
    else:
        figures = (("bytes", "bytes a change", "KiB", 1024, None), ("cpu_us", "server CPU a change", "ms", 1000, None),
                   ("p50_us", "change -> viewer p50", "ms", 1000, None),
                   ("p99_us", "change -> viewer p99", "ms", 1000, None), ("rate", "frames", "1/s", 1, None))
    for figure, name, unit, divisor, fixed in figures:
        aim = fixed if fixed is not None else target(content, quality, figure, peers)
        report.add("%s: %s" % (label, name), unit, mine[figure] / divisor if mine else None,
                   {peer_name: peer[figure] / divisor for peer_name, peer in zip(("Xvnc", "libvncserver"), peers) if peer},
                   None if aim is None else round(aim / (1 if fixed is not None else divisor), 3), figure == "rate")


def main():
    options = arguments(__doc__)
    need_programs("Xtigervnc")
    report = Report()
    for size in SIZES:
        for content, quality, changes in CONTENTS:
            count = 1 if options.quick else max(1, options.rounds // 4)
            mine, xvnc, library = (rounds(server, content, quality, changes, size, count)
                                   for server in ("ours", "xvnc", "libvncserver"))
            add(report, content, quality, size, mine, (xvnc, library))
    report.print(options.json)


if __name__ == "__main__":
    sys.exit(main())
